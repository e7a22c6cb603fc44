"""What the microsite is measured against, served by the same server or run in the same minute."""
