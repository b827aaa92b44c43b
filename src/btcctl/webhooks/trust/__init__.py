"""Why an API server believes us: certificates, who keeps them, and who makes them anew."""
