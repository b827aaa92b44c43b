"""StatefulSets, their revisions, their pods and their pods' claims."""
