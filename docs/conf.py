"""The site that `make docs` builds: the README first, then docs/, and the library's reference from its docstrings."""

from importlib.metadata import version as version_of

project, author = "weldbench", "the weldbench authors"
version = release = version_of("weldbench")
extensions = ["myst_parser", "autoapi.extension", "sphinx.ext.napoleon"]
root_doc = "docs/index"
# The source is the whole repository, so that links mean the same on the site and in the files.
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "benchmarks/RESULTS.md", "autoapi/**"]
# Of names that a module imports and does not define itself, and of types that two modules name alike.
suppress_warnings = ["autoapi.python_import_resolution", "ref.python"]

html_theme = "furo"
html_title = f"weldbench {version}"

myst_heading_anchors = 3  # so that links such as datasets.md#few-labeled-frames lead there

autoapi_dirs = ["src/weldbench"]
autoapi_root = "autoapi"
autoapi_options = ["members", "undoc-members", "show-module-summary"]
autoapi_add_toctree_entry = False
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True  # AutoAPI describes the attributes already
