"""Generators of the published code as models: the same voxels, and a sentence for all that is none of these."""

import os
import pickle
import struct
import zipfile
from copy import deepcopy

import numpy as np
import pytest
import torch

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.importing.generator import import_generator
from napari_slicegan.core.importing.state import read_state
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.volume.latent import latent_field
from tests.published import LATENT, Published, a_generator, lists, save

KINDS = {"two phases": (2, None), "three phases": (3, None), "grey": (1, None), "colour": (3, OutputKind.COLOUR)}
TOPOLOGIES = {"transpose": False, "resize": True}


def both(folder, kind="two phases", resized=False):
    """A published generator, and the model that is made of its files."""
    channels, stated = KINDS[kind]
    params = lists(channels)
    generator = a_generator(params, "softmax" if "phases" in kind else "tanh", resized)
    return generator, import_generator(*save(folder, generator, params), stated)


def field(cells=4, start=0, seed=0):
    """Of the latent field of our volumes, as a batch of one."""
    return torch.from_numpy(latent_field(seed, (start,) * 3, (cells,) * 3, LATENT))[None]


def as_voxels(made, kind):
    """What voxels (C, Z, Y, X) of probabilities or intensities are, and where rounding alone can make them others."""
    if "phases" in kind:
        second, best = made.topk(2, dim=0).values.flip(0)
        return made.argmax(0).numpy(), (best - second < 1e-4).numpy()
    levels = made.mul(255).movedim(0, -1)
    near = (levels.frac() - 0.5).abs() < 1e-2
    return levels.round().squeeze(-1).numpy(), near.squeeze(-1).numpy()


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_model_makes_the_voxels_of_the_original_at_the_size_that_was_trained(kind, topology, tmp_path):
    generator, model = both(tmp_path, kind, TOPOLOGIES[topology])
    z = field(seed=7)
    original = generator(z)
    assert original.std() > 0.1
    exact = deepcopy(model.generator).double()(z.double())  # float32 rounds in another order
    torch.testing.assert_close(exact, deepcopy(generator).double()(z.double()), atol=1e-10, rtol=0)
    model.save(tmp_path / "model.safetensors")
    volume = SliceGAN.load(tmp_path / "model.safetensors", "cpu").generate((64, 64, 64), seed=7)
    expected, is_near = as_voxels(original[0], kind)
    assert is_near.mean() < 0.03
    np.testing.assert_array_equal(volume[~is_near], expected[~is_near])


@pytest.mark.parametrize(("prefix", "old"), [("module.", False), ("", True), ("module.", True)])
def test_files_of_several_graphics_cards_and_of_earlier_versions_of_torch_are_the_same(prefix, old, tmp_path):
    params = lists(2)
    generator = Published(params, resized=True)
    plain, other = (import_generator(*save(tmp_path, generator, params, *how)) for how in (("",), (prefix, old)))
    assert other.fingerprint == plain.fingerprint


@torch.no_grad()
def test_without_a_resize_convolution_the_voxels_are_those_of_the_original_at_any_size(tmp_path):
    generator, model = both(tmp_path)
    expected, is_near = as_voxels(generator(field(8, -2))[0], "two phases")
    volume = model.generate((192, 192, 192), origin=(-64, -64, -64))
    np.testing.assert_array_equal(volume[~is_near], expected[~is_near])


def test_what_no_file_tells_is_stated_or_assumed(tmp_path):
    params = lists(3)
    files = save(tmp_path, a_generator(params), params)
    assumed = import_generator(*files).info
    assert (assumed.kind, assumed.phases, assumed.voxel_size, assumed.unit) == ("phases", (0, 1, 2), 1, "pixel")
    stated = import_generator(*files, OutputKind.PHASES, (0, 128, 255), 0.4, "um")
    stated.save(tmp_path / "model.safetensors")
    info = read_info(tmp_path / "model.safetensors")
    assert (info.phases, info.voxel_size, info.unit) == ((0, 128, 255), 0.4, "um")
    assert set(np.unique(stated.generate((64, 64, 64)))) == {0, 128, 255}
    record = info.provenance["imported"]
    assert (record["generator"], record["parameters"], len(record["sha256"])) == ("nmc_Gen.pt", "nmc_params.data", 64)


def test_without_a_list_of_layers_they_are_taken_for_the_published_ones(tmp_path):
    params = lists(2)
    files = save(tmp_path, Published(params), params)
    assert import_generator(files[0]).fingerprint == import_generator(*files).fingerprint
    other = lists(2, kernel=[6] * 5, padding=[4, 4, 4, 4, 6])
    files = save(tmp_path, Published(other), other)
    with pytest.raises(ModelError, match=r"other layers than the published ones: give its list of layers"):
        import_generator(files[0])
    assert import_generator(*files).info.network.kernel == (6,) * 5


def test_lists_of_different_lengths_count_up_to_the_shortest(tmp_path):
    """Settings of MicroLib and of earlier versions have six kernels and strides for five layers."""
    params = lists(2, kernel=[4] * 6, stride=[2] * 6)
    model = import_generator(*save(tmp_path, Published(params), params))
    assert model.info.network.layers == ((4, 2, 2),) * 4 + ((4, 2, 3),)


@pytest.mark.parametrize(("depth", "hidden"), [(3, 2), (7, 6)])
def test_networks_of_other_depths_come_with_discriminators_that_fit(depth, hidden, tmp_path):
    params = lists(2, [3] * (depth - 1), kernel=[4] * depth, stride=[2] * depth, padding=[2] * (depth - 1) + [3])
    model = import_generator(*save(tmp_path, Published(params), params))
    assert len(model.info.network.channels) == depth - 1
    assert len(model.info.network.discriminator_channels) == hidden


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_lists_of_any_pickle_protocol_are_read(protocol, tmp_path):
    params = lists(2)
    weights, layers = save(tmp_path, Published(params), params)
    layers.write_bytes(pickle.dumps(params, protocol))
    assert import_generator(weights, layers).info.network.latent_channels == LATENT


# What is none of these.


class Bomb:
    """Runs a command as soon as it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def an_archive(path, pickled, records, compression=zipfile.ZIP_STORED):
    """A file in torch's format, of any content."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/version", "3\n")
        for key, content in records.items():
            archive.writestr(f"a/data/{key}", content)


def pickled_tensor(shape=(2,), steps=(1,), count=2, kind="Float"):
    """The pickle {"convs.0.weight": tensor} of torch, with numbers of ours; whole numbers of any size."""

    def tuple_of(numbers):
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", number) for number in numbers) + b"t"

    def text(words):
        return b"X" + struct.pack("<I", len(words)) + words.encode()

    storage = b"(" + text("storage") + f"ctorch\n{kind}Storage\n".encode() + text("0") + text("cpu")
    storage += b"\x8a\x08" + struct.pack("<q", count) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + tuple_of(shape) + tuple_of(steps)
    tensor += b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}" + text("convs.0.weight") + tensor + b"s."


@pytest.fixture
def files(tmp_path):
    params = lists(2)
    return save(tmp_path, Published(params, resized=True), params)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("place", ["alone", "among the weights", "as a name"])
def test_a_bomb_in_place_of_weights_does_not_go_off(place, old, files, tmp_path):
    bomb = Bomb(tmp_path / "mark")
    state = {"alone": bomb, "among the weights": {"convs.0.weight": bomb}, "as a name": {(1, 2): torch.zeros(1)}}[place]
    torch.save(state, files[0], _use_new_zipfile_serialization=not old)
    with pytest.raises(ModelError, match=r"holds something else than weights \(.*\), and is not opened: save gen"):
        import_generator(*files)
    assert not (tmp_path / "mark").exists()


def test_a_whole_network_in_place_of_its_weights_is_not_opened(files):
    torch.save(torch.nn.Conv2d(1, 1, 1), files[0])
    with pytest.raises(ModelError, match=r"something else than weights \(torch.nn.modules.conv.Conv2d\)"):
        import_generator(*files)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02.", b"not a pickle", bytes(1000)])
def test_what_is_no_file_of_weights_is_refused(content, files):
    files[0].write_bytes(content)
    with pytest.raises(ModelError, match="no file of weights that torch has saved, or it is damaged"):
        import_generator(*files)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_refused(part, old, tmp_path):
    weights, layers = save(tmp_path, Published(lists(2)), lists(2), old=old)
    content = weights.read_bytes()
    weights.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ModelError, match=r"damaged|larger than the file"):
        import_generator(weights, layers)


@pytest.mark.parametrize(
    ("claims", "records", "refusal"),
    [
        ({"count": 10**12}, {"0": bytes(8)}, "tensors that are larger than the file"),
        ({"count": 2}, {}, "tensors that are larger than the file"),
        ({"shape": (10**12,)}, {"0": bytes(8)}, "a tensor that is larger than its storage"),
        ({"shape": (10**6, 10**6), "steps": (0, 0)}, {"0": bytes(8)}, "a tensor that is larger than its storage"),
        ({"shape": (-5,)}, {"0": bytes(8)}, "a tensor that is larger than its storage"),
        ({"count": -1}, {"0": bytes(8)}, "a storage without a size"),
        ({"kind": "Untyped"}, {"0": bytes(8)}, "torch.UntypedStorage"),
    ],
)
def test_no_more_memory_is_taken_than_the_file_is_long(claims, records, refusal, files, monkeypatch):
    an_archive(files[0], pickled_tensor(**claims), records)
    monkeypatch.setattr(torch, "load", lambda *_args, **_options: pytest.fail("torch has seen the file"))
    with pytest.raises(ModelError, match=refusal):
        import_generator(*files)


def test_such_a_pickle_is_read_where_its_numbers_are_there(files):
    an_archive(files[0], pickled_tensor(), {"0": np.array([1, 2], np.float32).tobytes()})
    assert read_state(files[0])["convs.0.weight"].tolist() == [1, 2]


def test_an_archive_that_would_become_larger_is_not_unpacked(files):
    an_archive(files[0], pickled_tensor(count=10**7), {"0": bytes(4 * 10**7)}, zipfile.ZIP_DEFLATED)
    assert files[0].stat().st_size < 10**6
    with pytest.raises(ModelError, match="an archive that is larger than its file, or two in one"):
        import_generator(*files)


def test_an_archive_that_others_could_read_in_another_way_is_not_opened(files):
    an_archive(files[0], pickled_tensor(), {"0": bytes(8)})
    with zipfile.ZipFile(files[0], "a") as archive:
        archive.comment = b"another archive"
    with pytest.raises(ModelError, match="an archive that is larger than its file, or two in one"):
        import_generator(*files)
    an_archive(files[0], pickled_tensor(), {"0": bytes(8)})
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(files[0], "a") as archive:
        archive.writestr("a/data/0", bytes(8))
    with pytest.raises(ModelError, match="an archive that is larger than its file, or two in one"):
        import_generator(*files)


@pytest.mark.parametrize(
    ("pickled", "refusal"),
    [
        (pickled_tensor()[:-2] + b"}bs.", "something that is changed after it was made"),
        (b"\x80\x02ctorch\nFloatStorage\n)R.", "a call of something else than a tensor"),
        (b"\x80\x02ccollections\nOrderedDict\n(]tR.", "a call of something else than a tensor"),
        (b"\x80\x02}K\x01K\x02s.", "a dictionary that has other keys than names"),
        (b"\x80\x02}(K\x01K\x02u.", "a dictionary that has other keys than names"),
        (b"\x80\x02K\x01Q.", "a reference to something else than a storage"),
        (b"\x80\x02c__builtin__\nbytearray\n.", "__builtin__.bytearray"),
        (b"\x80\x02" + b")" + b"\x85" * 10**6 + b".", "MiB of names|no dictionary of weights|damaged"),
    ],
)
def test_what_else_a_pickle_could_do_it_does_not(pickled, refusal, files):
    an_archive(files[0], pickled, {"0": bytes(8)})
    with pytest.raises(ModelError, match=refusal):
        import_generator(*files)


def test_numbers_that_the_old_format_claims_and_does_not_hold_are_not_looked_for(files, tmp_path, monkeypatch):
    torch.save({"w": torch.zeros(1)}, files[0], _use_new_zipfile_serialization=False)
    header = files[0].read_bytes()
    starts = [place for place in range(len(header)) if header.startswith(b"\x80\x02", place)]
    before, after = header[: starts[3]], header[starts[4] :]
    an_archive(tmp_path / "harmless.pt", pickled_tensor(), {"0": bytes(8)})  # behind it, where archives are looked for
    harmless = (tmp_path / "harmless.pt").read_bytes()
    files[0].write_bytes(before + pickled_tensor((10**11,), (1,), 10**11) + after + harmless)
    monkeypatch.setattr(torch, "load", lambda *_args, **_options: pytest.fail("torch has seen the file"))
    with pytest.raises(ModelError, match="tensors that are larger than the file"):
        import_generator(*files)


def changed(params, place, value):
    return [*params[:place], value, *params[place + 1 :]]


@pytest.mark.parametrize(
    "params",
    [
        [],
        lists(2)[:7],
        [*lists(2), [1]],
        [tuple(each) for each in lists(2)],
        tuple(lists(2)),
        changed(lists(2), 4, [4.0] * 5),
        changed(lists(2), 4, [True] * 5),
        changed(lists(2), 4, "44444"),
        changed(lists(2), 4, [[4]] * 5),
        changed(lists(2), 4, 4),
        changed(lists(2), 4, []),
        changed(lists(2), 4, [4] * 65),
        changed(lists(2), 4, [10**30] * 5),
        changed(lists(2), 5, [0] * 5),
        changed(lists(2), 7, [-1] * 5),
        {"kernel": [4]},
    ],
)
def test_what_is_no_list_of_layers_is_refused(params, files):
    files[1].write_bytes(pickle.dumps(params))
    with pytest.raises(ModelError, match="is no list of layers"):
        import_generator(*files)


def test_a_bomb_in_place_of_the_list_of_layers_does_not_go_off(files, tmp_path):
    for params in (Bomb(tmp_path / "mark"), changed(lists(2), 4, [Bomb(tmp_path / "mark")])):
        for protocol in range(6):
            files[1].write_bytes(pickle.dumps(params, protocol))
            with pytest.raises(ModelError, match=r"is no list of layers \(the instruction .*\): give the file NAME_pa"):
                import_generator(*files)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        pickle.dumps(lists(2))[:-20],
        b"\x80\x02]r\xff\xff\xff\x7f.",  # remembers a list in a place far out
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".",  # asks for a terabyte
        b"\x80\x02]q\x00h\x00a.",  # a list in itself
        b"(" * 60_000 + b".",
        b"\x80\x02K\x01K\x02a.",
        b"." * 10,
    ],
)
def test_a_damaged_list_of_layers_is_refused(content, files):
    files[1].write_bytes(content)
    with pytest.raises(ModelError, match="is no list of layers"):
        import_generator(*files)


def test_a_list_of_layers_that_is_a_large_file_is_not_read(files):
    files[1].write_bytes(pickle.dumps([[1] * 10**5] * 8))
    with pytest.raises(ModelError, match="larger than any list of layers"):
        import_generator(*files)


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        (lists(3), r"weights convs.4.weight of the shape \(6, 2, 4, 4, 4\), but its layers need \(6, 3, 4, 4, 4\)"),
        (lists(2, kernel=[6] * 5), r"convs.0.weight of the shape \(3, 8, 4, 4, 4\), but its layers need"),
        (lists(2, kernel=[4] * 4), "has 5 layers, but its list of layers has 4, .*: these two files do not belong"),
        (lists(2, stride=[3] * 5), r"cannot be imported. Layer 1 .* breaks 'kernel a multiple of stride'"),
        (lists(2, stride=[1] * 5), r"cannot be imported. Layer 1 .* breaks 'padding >= kernel - stride'"),
        (lists(2, padding=[1] * 5), r"cannot be imported. Layer 1 .* breaks 'padding >= kernel - stride'"),
        (lists(2, padding=[40] * 5), r"cannot be imported. The setting padding is"),
    ],
)
def test_layers_that_are_not_those_of_the_weights_or_cannot_be_rebuilt_are_refused(params, refusal, files):
    files[1].write_bytes(pickle.dumps(params))
    with pytest.raises(ModelError, match=refusal):
        import_generator(*files)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda state: state.pop("bns.2.running_var"), "it lacks bns.2.running_var"),
        (lambda state: state.pop("convs.4.weight"), "it has 'bns.4.weight'"),
        (lambda state: state.pop("rcconv.bias"), "it lacks rcconv.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "it has 'extra'"),
        (lambda state: state.clear(), "it has no layers"),
        (lambda state: state["convs.1.weight"].fill_(float("nan")), "not finite"),
        (lambda state: state.update({"convs.1.weight": torch.zeros(1)}), r"of the shape \(1,\)"),
        (lambda state: state.update({"bns.0.bias": torch.zeros(8).long()}), "weights bns.0.bias"),
        (lambda state: state.update({"bns.0.bias": torch.zeros(1).expand(8)}), None),
    ],
)
def test_states_of_other_networks_are_refused(change, refusal, files):
    state = torch.load(files[0], weights_only=True)
    change(state)
    torch.save(state, files[0])
    with pytest.raises(ModelError, match=refusal):
        import_generator(*files)


@pytest.mark.parametrize(
    ("channels", "stated", "refusal"),
    [
        (2, (OutputKind.GREY,), "gives 2 channels, which are not grey"),
        (2, (OutputKind.COLOUR,), "gives 2 channels, which are not colour"),
        (1, (OutputKind.PHASES,), "gives 1 channels, which are not phases"),
        (9, (), "gives 9 channels, which are not phases: 1 is grey, 3 are a colour, and 2 to 8 are phases"),
        (2, (None, (0, 1, 2)), "labels 0, 1, 2 are not 2 different ones in ascending order"),
        (2, (None, (1, 0)), "labels 1, 0 are not 2 different ones in ascending order"),
        (1, (None, (1,)), "labels 1 are not 0 different ones"),
        (2, (None, (), -1.0), "no sensible voxel size"),
    ],
)
def test_kinds_labels_and_sizes_that_cannot_be_are_refused(channels, stated, refusal, tmp_path):
    params = lists(channels)
    with pytest.raises(ModelError, match=refusal):
        import_generator(*save(tmp_path, Published(params), params), *stated)


def test_a_resize_convolution_that_was_trained_with_other_cells_is_refused(tmp_path):
    params = lists(2, kernel=[6] * 5, padding=[4] * 5)
    with pytest.raises(ModelError, match="so it was not trained with 4 cells"):
        import_generator(*save(tmp_path, Published(params, resized=True), params))


def test_a_missing_file_is_named(files, tmp_path):
    with pytest.raises(ModelError, match=r"There is no file .*none.pt"):
        import_generator(tmp_path / "none.pt", files[1])
    with pytest.raises(ModelError, match="There is no file"):
        import_generator(tmp_path, files[1])
    with pytest.raises(ModelError, match=r"none.data cannot be read: No such file"):
        import_generator(files[0], tmp_path / "none.data")
