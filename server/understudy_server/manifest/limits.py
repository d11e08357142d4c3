"""What a manifest may take: every limit of this room, with its unit."""

from understudy_server.core import strict_json

YAML_FILE_BYTES_MAX = 8 * 1024 * 1024
BESIDE_FILE_BYTES_MAX = 8 * 1024 * 1024
"""A body in a file of its own; the limit of its field, which is less, is checked with the other fields."""

FILES_BYTES_MAX = 16 * 1024 * 1024
"""All files of a manifest together, bodies too."""

MESSAGE_BYTES_MAX = 16 * 1024 * 1024 - 1024
"""Of a message, aliases, variables and files written out: what a server takes in one request, less the rest of it."""

PATH_CHARACTERS_MAX = 4_096
"""Of a file or a pattern, as on Linux."""

WALKED_FOLDERS_MAX = 5_000
LISTED_NAMES_MAX = 500_000
"""How far the patterns of a manifest lead, all of them together."""

INCLUSIONS_MAX = 1_000
"""Files of YAML; one that is included in two places counts twice."""

INCLUSION_DEPTH_MAX = 32
"""How many files may include each other in a row."""

BESIDE_FILES_MAX = 10_000

NODES_MAX = 2_000_000
"""Keys, values, lists and mappings, after aliases and includes are written out."""

JSON_DEPTH_MAX_LEVELS = strict_json.DEPTH_MAX
DEPTH_MAX_LEVELS = JSON_DEPTH_MAX_LEVELS + 32
"""Of a file: room for the deepest JSON value below the eleven levels of a scenario's own mock, or for criteria nested
as deep as they may be, at three levels each."""

JSON_NUMBER_CHARACTERS_MAX = 4_300

PROBLEMS_MAX = 20
PROBLEMS_KEPT_MAX = 100
"""How many are told, and after how many the reading ends. The second is greater, since they are put in order last."""

READ_ATTEMPTS_MAX = 4
"""How often files that change while they are read are read."""

SHOWN_CHARACTERS_MAX = 60
"""How much of a value a problem repeats."""

SHOWN_KEY_CHARACTERS_MAX = 200
"""How much of each key in the name of a field."""
