"""The baseline: what Flask does on the same server when there is nothing to do."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}
