"""The tree against the published vectors, the RFC's definitions written down literally, and another implementation."""

import hashlib
import random
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from service.workflow import merkle
from service.workflow.merkle import HASHINGS, SHA256, SM3, Extension, Hashing, Node, Place
from tests.workflow.builders import examples

# -- RFC 9162, 2.1, as it is written there: D is a list of entries, H is SHA-256


def largest_power_of_two_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def h(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@cache
def mth(entries: tuple[bytes, ...]) -> bytes:
    """2.1.1"""
    n = len(entries)
    if n == 0:
        return h(b"")
    if n == 1:
        return h(b"\x00" + entries[0])
    k = largest_power_of_two_below(n)
    return h(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m: int, entries: tuple[bytes, ...]) -> list[bytes]:
    """2.1.3.1"""
    n = len(entries)
    if n == 1:
        return []
    k = largest_power_of_two_below(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: tuple[bytes, ...], b: bool) -> list[bytes]:
    """2.1.4.1; PROOF(m, D) is subproof(m, D, True)."""
    n = len(entries)
    if m == n:
        return [] if b else [mth(entries)]
    k = largest_power_of_two_below(n)
    if m <= k:
        return [*subproof(m, entries[:k], b), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


# -- a store in memory, and entries none like another


class Stored:
    """What the tables hold after these entries: leaf hashes, nodes, frontier."""

    def __init__(self, entries: tuple[bytes, ...], hashing: Hashing = SHA256) -> None:
        self.hashing = hashing
        self.leaves = [hashing.leaf(entry) for entry in entries]
        self.extension = merkle.extend(hashing, 0, (), self.leaves)
        self.nodes: dict[Place, bytes] = {(0, index): leaf for index, leaf in enumerate(self.leaves)}
        self.nodes |= {(node.level, node.index): node.hash for node in self.extension.nodes}

    def root(self, size: int) -> bytes:
        return merkle.root(self.hashing, [self.nodes[place] for place in merkle.subtrees(size)])

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return list(merkle.fold(self.hashing, merkle.inclusion(index, size), self.nodes))

    def consistency(self, old: int, new: int) -> list[bytes]:
        return list(merkle.fold(self.hashing, merkle.consistency(old, new), self.nodes))

    def includes(self, index: int, size: int, proof: list[bytes]) -> bool:
        return merkle.verify_inclusion(self.hashing, self.leaves[index], index, size, proof, self.root(size))

    def continues(self, old: int, new: int, proof: list[bytes]) -> bool:
        return merkle.verify_consistency(self.hashing, old, new, proof, self.root(old), self.root(new))


ENTRIES = tuple(b"entry %d" % number for number in range(70))
STORED = Stored(ENTRIES)

# -- the vectors of the certificate-transparency reference implementation (merkletree/merkle_tree_test.cc)

CT_ENTRIES = tuple(
    bytes.fromhex(entry)
    for entry in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
)  # fmt: skip
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAF_0, LEAF_1 = CT_ROOTS[1], "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
FROM_2_TO_4 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
FROM_4_TO_6 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
FROM_6_TO_8 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
FROM_4_TO_8 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
FROM_0_TO_2, FROM_0_TO_4 = CT_ROOTS[2], CT_ROOTS[4]


def test_published_roots() -> None:
    stored = Stored(CT_ENTRIES)
    assert [stored.root(size).hex() for size in range(9)] == CT_ROOTS


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, [LEAF_1, FROM_2_TO_4, FROM_4_TO_8]),
        (5, 8, [LEAF_4, FROM_6_TO_8, FROM_0_TO_4]),
        (2, 3, [FROM_0_TO_2]),
        (1, 5, [LEAF_0, FROM_2_TO_4, LEAF_4]),
    ],
)
def test_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    stored = Stored(CT_ENTRIES)
    assert [each.hex() for each in stored.inclusion(index, size)] == proof
    assert stored.includes(index, size, [bytes.fromhex(each) for each in proof])


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (1, 8, [LEAF_1, FROM_2_TO_4, FROM_4_TO_8]),
        (6, 8, [FROM_4_TO_6, FROM_6_TO_8, FROM_0_TO_4]),
        (2, 5, [FROM_2_TO_4, LEAF_4]),
    ],
)
def test_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    stored = Stored(CT_ENTRIES)
    assert [each.hex() for each in stored.consistency(old, new)] == proof
    assert stored.continues(old, new, [bytes.fromhex(each) for each in proof])


def test_sm3() -> None:
    if not SM3.available():
        pytest.skip("this Python's OpenSSL has no SM3")
    # GB/T 32905-2016, A.1: the published digest, and the two prefixes over the same function.
    assert hashlib.new(SM3.name, b"abc").hexdigest() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    leaf, other = SM3.leaf(b"abc"), SM3.leaf(b"")
    assert leaf == hashlib.new("sm3", b"\x00abc").digest()
    assert SM3.node(leaf, other) == hashlib.new("sm3", b"\x01" + leaf + other).digest()
    assert SM3.empty() == hashlib.new("sm3").digest()
    stored = Stored(CT_ENTRIES, SM3)
    assert stored.includes(5, 7, stored.inclusion(5, 7))
    assert stored.continues(3, 7, stored.consistency(3, 7))
    assert not Stored(CT_ENTRIES).includes(5, 7, stored.inclusion(5, 7))


def test_an_algorithm_that_openssl_lacks_is_not_available_and_hashes_nothing() -> None:
    missing = Hashing("sm3-of-another-world")
    assert not missing.available() and SHA256.available()
    for hashed in (missing.empty, lambda: missing.leaf(b""), lambda: missing.node(b"", b"")):
        with pytest.raises(ValueError):
            hashed()
    assert {"sha256": SHA256, "sm3": SM3} == HASHINGS


# -- against the definitions


def test_roots_and_stored_nodes_are_the_definitions() -> None:
    for size in range(len(ENTRIES) + 1):
        assert STORED.root(size) == mth(ENTRIES[:size])
        subtrees = {
            (level, index): mth(ENTRIES[index << level : (index + 1) << level])
            for level in range(size.bit_length())
            for index in range(size >> level)
        }
        stored = Stored(ENTRIES[:size])
        assert stored.nodes == subtrees
        assert len(stored.extension.nodes) == len([level for level, _ in subtrees if level])
        assert stored.extension.size == size
        assert stored.extension.frontier == tuple(subtrees[place] for place in merkle.subtrees(size))


def test_every_inclusion_proof_to_70() -> None:
    for size in range(1, 71):
        for index in range(size):
            proof = STORED.inclusion(index, size)
            assert proof == path(index, ENTRIES[:size]), (index, size)
            assert STORED.includes(index, size, proof), (index, size)
            nodes = sum(len(places) for places in merkle.inclusion(index, size))
            assert nodes <= 2 * size.bit_length(), (index, size)


def test_every_consistency_proof_to_40() -> None:
    for new in range(1, 41):
        for old in range(1, new + 1):
            proof = STORED.consistency(old, new)
            assert proof == subproof(old, ENTRIES[:new], True), (old, new)
            assert STORED.continues(old, new, proof), (old, new)
            nodes = sum(len(places) for places in merkle.consistency(old, new))
            assert nodes <= 2 * new.bit_length(), (old, new)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 1), (1, 1), (3, 3)])
def test_no_inclusion_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"a tree of {size} leaves has no leaf {index}"):
        merkle.inclusion(index, size)
    # A single leaf is its own root and its proof is empty: nothing but the index and the size can be wrong.
    leaf = STORED.leaves[0]
    assert merkle.verify_inclusion(SHA256, leaf, 0, 1, [], leaf)
    assert not merkle.verify_inclusion(SHA256, leaf, index, size, [], leaf)


@pytest.mark.parametrize(("old", "new"), [(-1, 1), (3, 1), (1, 0), (4, 3)])
def test_no_consistency_proof_from_what_never_was(old: int, new: int) -> None:
    with pytest.raises(ValueError, match=f"a tree of {new} leaves was never one of {old}"):
        merkle.consistency(old, new)
    root = STORED.root(1)
    for proof in ([], [root], [root, root]):
        assert not merkle.verify_consistency(SHA256, old, new, proof, root, root)


def test_every_tree_begins_with_the_empty_one_and_with_itself() -> None:
    empty, root = SHA256.empty(), STORED.root(5)
    assert merkle.consistency(0, 5) == merkle.consistency(5, 5) == merkle.consistency(0, 0) == ()
    assert merkle.verify_consistency(SHA256, 0, 5, [], empty, root)
    assert merkle.verify_consistency(SHA256, 0, 0, [], empty, empty)
    assert merkle.verify_consistency(SHA256, 5, 5, [], root, root)
    assert not merkle.verify_consistency(SHA256, 0, 5, [], root, root)
    assert not merkle.verify_consistency(SHA256, 0, 5, [root], empty, root)
    assert not merkle.verify_consistency(SHA256, 0, 0, [], root, root)
    assert not merkle.verify_consistency(SHA256, 0, 0, [], empty, root)
    assert not merkle.verify_consistency(SHA256, 5, 5, [], root, empty)
    assert not merkle.verify_consistency(SHA256, 5, 5, [root], root, root)


def test_a_frontier_that_does_not_fit_the_size_is_refused() -> None:
    for size, frontier in [(3, STORED.extension.frontier[:1]), (0, STORED.extension.frontier)]:
        with pytest.raises(ValueError, match=f"a tree of {size} leaves"):
            merkle.extend(SHA256, size, frontier, STORED.leaves)


def test_a_missing_node_makes_no_proof() -> None:
    leafless = {place: hashed for place, hashed in STORED.nodes.items() if place[0] > 0}
    with pytest.raises(KeyError):
        merkle.fold(SHA256, merkle.inclusion(0, 8), leafless)


# -- growing in chunks


@given(st.integers(0, 300), st.lists(st.integers(0, 300), max_size=12))
@examples(60)
def test_however_the_leaves_are_cut_the_tree_is_the_same(count: int, cuts: list[int]) -> None:
    leaves = [SHA256.leaf(b"%d" % number) for number in range(count)]
    one_by_one = grow([[leaf] for leaf in leaves])
    bounds = sorted({0, count, *(cut for cut in cuts if cut <= count)})
    assert grow([leaves[start:end] for start, end in pairwise(bounds)]) == one_by_one
    assert merkle.root(SHA256, one_by_one.frontier) == mth(tuple(b"%d" % number for number in range(count)))


def grow(chunks: list[list[bytes]]) -> Extension:
    """The last extension, with the nodes of all."""
    grown, nodes = Extension(0, (), ()), list[Node]()
    for chunk in chunks:
        grown = merkle.extend(SHA256, grown.size, grown.frontier, chunk)
        nodes += grown.nodes
    return Extension(grown.size, grown.frontier, tuple(nodes))


# -- what was tampered with is refused


def tampered(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with each of its bits flipped, each hash left out, doubled or cut, a foreign one put in anywhere."""
    flips = [
        [*proof[:at], flipped(hashed, bit), *proof[at + 1 :]]
        for at, hashed in enumerate(proof)
        for bit in range(len(hashed) * 8)
    ]
    cut = [[*proof[:at], hashed[:-1], *proof[at + 1 :]] for at, hashed in enumerate(proof)]
    dropped = [proof[:at] + proof[at + 1 :] for at in range(len(proof))]
    doubled = [[*proof[:at], proof[at], *proof[at:]] for at in range(len(proof))]
    added = [[*proof[:at], SHA256.leaf(b"foreign"), *proof[at:]] for at in range(len(proof) + 1)]
    swapped = [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]] for at in range(len(proof) - 1)]
    return flips + cut + dropped + doubled + added + swapped


def flipped(hashed: bytes, bit: int) -> bytes:
    return (int.from_bytes(hashed) ^ 1 << bit).to_bytes(len(hashed))


@given(st.data())
@examples(40)
def test_no_tampered_inclusion_proof_is_good(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(ENTRIES)))
    index = data.draw(st.integers(0, size - 1))
    proof, leaf, root = STORED.inclusion(index, size), STORED.leaves[index], STORED.root(size)
    for wrong in tampered(proof):
        assert not STORED.includes(index, size, wrong)
    for other in set(range(size)) - {index}:
        assert not merkle.verify_inclusion(SHA256, leaf, other, size, proof, root)
    for bit in range(256):
        assert not merkle.verify_inclusion(SHA256, flipped(leaf, bit), index, size, proof, root)
        assert not merkle.verify_inclusion(SHA256, leaf, index, size, proof, flipped(root, bit))


@given(st.data())
@examples(40)
def test_no_tampered_consistency_proof_is_good(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(ENTRIES)))
    old = data.draw(st.integers(1, new))
    proof, before, after = STORED.consistency(old, new), STORED.root(old), STORED.root(new)
    for wrong in tampered(proof):
        assert not STORED.continues(old, new, wrong)
    for bit in range(256):
        assert not merkle.verify_consistency(SHA256, old, new, proof, flipped(before, bit), after)
        assert not merkle.verify_consistency(SHA256, old, new, proof, before, flipped(after, bit))


def test_a_true_proof_of_other_sizes_is_refused() -> None:
    first, second = STORED.leaves[:2]
    assert merkle.verify_inclusion(SHA256, second, 1, 2, [first], STORED.root(2))
    assert not merkle.verify_inclusion(SHA256, second, 0, 1, [first], STORED.root(2))
    assert not merkle.verify_inclusion(SHA256, second, 1, 3, [first], STORED.root(2))
    # Eight leaves end as four do, below the same hash: these proofs differ only in how far up they go.
    assert not merkle.verify_consistency(SHA256, 3, 4, STORED.consistency(7, 8), STORED.root(7), STORED.root(8))
    assert not merkle.verify_consistency(SHA256, 7, 8, STORED.consistency(3, 4), STORED.root(3), STORED.root(4))
    assert not STORED.continues(3, 4, [])


def test_what_is_no_hash_is_no_root() -> None:
    assert not merkle.verify_inclusion(SHA256, b"short", 0, 1, [], b"short")
    assert not merkle.verify_consistency(SHA256, 5, 5, [], b"short", b"short")
    assert not merkle.verify_consistency(SHA256, 0, 5, [], SHA256.empty(), b"short")


def test_a_proof_whose_bytes_are_moved_between_neighbours_is_refused() -> None:
    leaf, sibling, root = STORED.leaves[0], STORED.leaves[1], STORED.root(2)
    assert merkle.verify_inclusion(SHA256, leaf, 0, 2, [sibling], root)
    assert not merkle.verify_inclusion(SHA256, leaf[:20], 0, 2, [leaf[20:] + sibling], root)


# -- against another implementation


@pytest.mark.parametrize("seed", range(3))
def test_pymerkle_agrees_on_roots_and_proofs(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(7_000, 10_000)
    entries = tuple(chance.randbytes(chance.randint(0, 40)) for _ in range(count))
    stored, theirs = Stored(entries), InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries)
    assert merkle.root(SHA256, stored.extension.frontier) == theirs.get_root()
    for _ in range(150):
        size = chance.randint(2, count)
        index, old = chance.randrange(size), chance.randint(1, size - 1)
        assert stored.root(size) == theirs.get_root(size)
        # Theirs counts leaves from 1 and puts the leaf itself first.
        proof = theirs.prove_inclusion(index + 1, size)
        assert [stored.leaves[index], *stored.inclusion(index, size)] == proof.path
        assert stored.includes(index, size, proof.path[1:])
        proof = theirs.prove_consistency(old, size)
        proof.verify(stored.root(old), stored.root(size), prior_size=old, later_size=size, algorithm="sha256")
        assert stored.consistency(old, size) == as_in_the_rfc(proof.subset, proof.path, old)


def as_in_the_rfc(of_the_old: list[int], hashes: list[bytes], old: int) -> list[bytes]:
    """Theirs goes on down to the first new leaf. In the RFC those steps are one hash, behind the old subtree's."""
    at = of_the_old.index(1)
    folded = hashes[0]
    for hashed in hashes[1:at]:
        folded = SHA256.node(folded, hashed)
    known_to_the_verifier = old & (old - 1) == 0
    return [*([] if known_to_the_verifier else [hashes[at]]), folded, *hashes[at + 1 :]]
