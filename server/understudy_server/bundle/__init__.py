"""What is on record of a session, in forms that others read: an archive to attach to a CI job."""
