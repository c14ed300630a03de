from typing import Any, Self, dataclass_transform

def field(pytree_node: bool = ..., **options: Any) -> Any: ...

@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class PyTreeNode:
    def replace(self, **changes: Any) -> Self: ...
