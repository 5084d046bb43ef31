"""The Merkle tree over a tenant's log: how it grows, its root, its proofs and how they are verified (RFC 9162, 2.1).

What is stored are the hashes of complete subtrees. Such a node never changes once it is there, so the tree only ever
gets new rows, and the root of any older size can still be made. Node (level, index) covers the leaves from
index * 2^level up to (index + 1) * 2^level; level 0 are the leaf hashes themselves.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Place = tuple[int, int]
"""Where a complete subtree stands: (level, index)."""

Recipe = tuple[tuple[Place, ...], ...]
"""What a proof is made of: for each of its hashes the complete subtrees that it is folded from, left to right."""

HASH_BYTES = 32
"""Of either algorithm."""


@dataclass(frozen=True, slots=True)
class Hashing:
    """A hash algorithm as RFC 9162 uses it: what is hashed tells leaf from node, so that neither passes for the other.

    SM3 exists only where Python's OpenSSL has it, and there is no other implementation to fall back on: where it is
    missing every method but `available` raises ValueError. Ask before a log is begun with it or verified.
    """

    name: str

    def available(self) -> bool:
        try:
            hashlib.new(self.name)
        except ValueError:
            return False
        return True

    def digest(self, data: bytes) -> bytes:
        """The plain hash: what stands for a text in an event."""
        return hashlib.new(self.name, data).digest()

    def empty(self) -> bytes:
        """The root of a tree without leaves."""
        return hashlib.new(self.name).digest()

    def leaf(self, data: bytes) -> bytes:
        return hashlib.new(self.name, b"\x00" + data).digest()

    def node(self, left: bytes, right: bytes) -> bytes:
        return hashlib.new(self.name, b"\x01" + left + right).digest()


SHA256, SM3 = Hashing("sha256"), Hashing("sm3")
HASHINGS = {each.name: each for each in (SHA256, SM3)}


# -- growing


@dataclass(frozen=True, slots=True)
class Node:
    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Extension:
    """A tree after new leaves, and the subtrees above them that they completed, in the order of completion."""

    size: int
    frontier: tuple[bytes, ...]
    nodes: tuple[Node, ...]


def extend(hashing: Hashing, size: int, frontier: Sequence[bytes], leaf_hashes: Iterable[bytes]) -> Extension:
    """The tree of `size` leaves with more behind them: on average one new node for each leaf.

    `frontier` are the hashes at `subtrees(size)`. Raises ValueError where there are more or fewer of them.
    """
    if len(frontier) != len(subtrees(size)):
        raise ValueError(f"a tree of {size} leaves consists of {len(subtrees(size))} subtrees, not {len(frontier)}")
    stack = list(frontier)
    nodes: list[Node] = []
    for leaf_hash in leaf_hashes:
        stack.append(leaf_hash)
        size += 1
        # A subtree is complete where the size is a multiple of its width, and completes the next as its right half.
        level = 1
        while size % (1 << level) == 0:
            right, left = stack.pop(), stack.pop()
            stack.append(hashing.node(left, right))
            nodes.append(Node(level, (size >> level) - 1, stack[-1]))
            level += 1
    return Extension(size, tuple(stack), tuple(nodes))


def subtrees(size: int) -> tuple[Place, ...]:
    """The complete subtrees that a tree of `size` leaves consists of, largest first.

    Their hashes are its frontier and make its root, also when the tree has long grown beyond that size.
    """
    return _cover(0, size)


def root(hashing: Hashing, frontier: Sequence[bytes]) -> bytes:
    """The root of the tree that consists of these complete subtrees, largest first."""
    if not frontier:
        return hashing.empty()
    folded = frontier[-1]
    for left in reversed(frontier[:-1]):
        folded = hashing.node(left, folded)
    return folded


# -- proofs


def inclusion(index: int, size: int) -> Recipe:
    """What proves that leaf `index`, counted from 0, is in the tree of `size` leaves (RFC 9162, 2.1.3.1).

    At most two nodes for each level of the tree. Raises ValueError where there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    recipe: list[tuple[Place, ...]] = []
    start, width = 0, size
    while width > 1:
        half = _half(width)
        if index < start + half:
            recipe.append(_cover(start + half, width - half))
            width = half
        else:
            recipe.append(_cover(start, half))
            start, width = start + half, width - half
    return tuple(reversed(recipe))


def consistency(old: int, new: int) -> Recipe:
    """What proves that the tree of `new` leaves begins with that of `old` (RFC 9162, 2.1.4.1).

    Nothing, where both are the same or the old one is empty. Raises ValueError where the old one is the larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves was never one of {old}")
    if old == 0:
        return ()
    recipe: list[tuple[Place, ...]] = []
    # `common` leaves of the range that begins at `start` are the old tree's.
    start, width, common = 0, new, old
    while common < width:
        half = _half(width)
        if common <= half:
            recipe.append(_cover(start + half, width - half))
            width = half
        else:
            recipe.append(_cover(start, half))
            start, width, common = start + half, width - half, common - half
    if start > 0:
        # From the very beginning it would be the old root, which the verifier has.
        recipe.append(_cover(start, width))
    return tuple(reversed(recipe))


def fold(hashing: Hashing, recipe: Recipe, nodes: Mapping[Place, bytes]) -> tuple[bytes, ...]:
    """The hashes of a proof. Raises KeyError where a node is missing: the stored tree is damaged then."""
    return tuple(root(hashing, [nodes[place] for place in places]) for places in recipe)


def _half(width: int) -> int:
    """The largest power of two below `width`: how many leaves go to the left."""
    return 1 << (width - 1).bit_length() - 1


def _cover(start: int, width: int) -> tuple[Place, ...]:
    """The complete subtrees of a range that is a subtree itself, complete or not, largest first."""
    places: list[Place] = []
    for level in reversed(range(width.bit_length())):
        if width >> level & 1:
            places.append((level, start >> level))
            start += 1 << level
    return tuple(places)


# -- verifying


def verify_inclusion(
    hashing: Hashing, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof leads from the leaf to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf_hash, root, *proof):
        return False
    here, last = index, size - 1
    folded = leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            folded = hashing.node(sibling, folded)
            here, last = _up_from_the_edge(here, last)
        else:
            folded = hashing.node(folded, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and folded == root


def verify_consistency(
    hashing: Hashing, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the proof leads to both roots (RFC 9162, 2.1.4.2).

    The same size wants the same root, and size 0 the root of the empty tree, both with an empty proof. That every tree
    begins with the empty one says nothing about the new root.
    """
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == 0 and old_root != hashing.empty():
        return False
    if old in (0, new):
        return not proof and (old < new or old_root == new_root)
    if not proof:
        return False
    # The old tree's last complete subtree comes first; where that is all of it, the verifier has its hash already.
    first, *rest = proof if old & (old - 1) else (old_root, *proof)
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    folded_old = folded_new = first
    for sibling in rest:
        if last == 0:
            return False
        if here & 1 or here == last:
            folded_old = hashing.node(sibling, folded_old)
            folded_new = hashing.node(sibling, folded_new)
            here, last = _up_from_the_edge(here, last)
        else:
            folded_new = hashing.node(folded_new, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and folded_old == old_root and folded_new == new_root


def _up_from_the_edge(here: int, last: int) -> tuple[int, int]:
    """Past the levels where the last node has no sibling to its right and stays as it is."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _are_hashes(*candidates: bytes) -> bool:
    """Of one length, or bytes could be moved from a hash into its neighbour without changing what is hashed."""
    return all(len(each) == HASH_BYTES for each in candidates)
