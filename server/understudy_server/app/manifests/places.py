"""Paths of places in a manifest, as faults name them: proto names, keys of maps by ``repr``, below the manifest."""


def project_path(project: str) -> str:
    return f"projects[{project!r}]"


def flag_path(project: str, key: str) -> str:
    return f"projects[{project!r}].flags[{key!r}]"


def environment_path(project: str, environment: str) -> str:
    return f"projects[{project!r}].environments[{environment!r}]"
