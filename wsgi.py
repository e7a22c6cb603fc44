"""What a server and the flask command load."""

from microsite import create_app

app = create_app()
