"""Templates are compiled once in a process, not once for each language and each application that shows them.

    Environment(..., bytecode_cache=CompiledTemplates())

Compiling is most of what a page costs when it is shown for the first time. What is compiled depends on the text of the
template alone: texts, functions and the language are looked up when a page is set (`service.pages`).
"""

from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_compiled: dict[tuple[str, str], CodeType] = {}
"""By what Jinja calls the key (name and file) and the checksum (the text)."""


class CompiledTemplates(BytecodeCache):
    """Jinja's cache of bytecode, in memory. All caches of a process are one."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was compiled of this very text before, if it was."""
        bucket.code = _compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            _compiled[bucket.key, bucket.checksum] = bucket.code
