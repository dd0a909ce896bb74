"""What any web service needs: application, settings, database, sessions, outgoing HTTP, pages. Knows no credential."""
