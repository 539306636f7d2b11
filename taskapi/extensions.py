"""Flask extensions of the database, made here and bound in create_app."""

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from taskapi.db.schema import metadata

db = SQLAlchemy(metadata=metadata)
migrate = Migrate(compare_type=True)
