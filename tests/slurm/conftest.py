"""The small project of the workflow tests, here too."""

from workflow.conftest import make_project as make_project
