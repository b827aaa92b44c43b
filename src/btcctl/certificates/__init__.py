"""What a server shows so that it is believed: certificates, who keeps them, and who makes them anew."""
