"""Full disks, folders that go, folders that may not be written to: it is said, and what was saved last stays."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from napari_slicegan.core import asides, recording
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.events import Hindered, Progress
from napari_slicegan.core.files import CHECKPOINT, LOG, MODEL, PREVIEWS, STATUS
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output import unfinished
from napari_slicegan.core.output.streaming import journal_of, part_of, stream
from napari_slicegan.core.resuming import Saved
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import Follower, RunState, summary_of
from napari_slicegan.core.volume import tiles
from tests.core.conftest import blobs, small_network
from tests.core.streams import CONTIGUOUS, REQUEST, RESUMABLE, content, names, narrow_model

if sys.platform != "win32":
    from tests.reliability.disks import KINDS, read_only, small_disk
else:
    KINDS = ()

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="disks are filled and folders locked the POSIX way")
INTERVAL, ITERATIONS = 4, 10


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Small tensors are faster on one thread; status and previews are written at each report, small tiles recorded."""
    monkeypatch.setattr(recording, "_SECONDS_BETWEEN_REPORTS", 0)
    monkeypatch.setattr(asides, "_SHARE", 1e9)
    monkeypatch.setattr(tiles, "TILE", 32)
    monkeypatch.setattr(unfinished, "SECONDS_BETWEEN_RECORDS", -1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def started(path: Path):
    """A run that has not been trained yet, and its trainer."""
    fewest = {"discriminator_volumes": 1, "generator_volumes": 1, "real_crops": 2, "discriminator_steps": 1}
    shown = {"report_seconds": 0, "preview_seconds": 1e-9, "evaluation_iterations": 0, "slices_per_axis": 2}
    recipe = TrainingConfig(iterations=ITERATIONS, checkpoint_iterations=INTERVAL, **fewest, **shown)
    data = TrainingData.from_labels(blobs((24, 30)), names=("blobs",))
    return Run.start(path, data, small_network(), recipe, "quick")


def trained(run: Run, trainer, at: dict | None = None) -> list:
    """Train to the end; at reports of some iterations something is done. What cannot be written is in the list."""
    said = []
    for event in run.record(trainer):
        if isinstance(event, Progress) and at and event.iteration in at:
            at[event.iteration]()
        if isinstance(event, Hindered):
            said.append((event.iteration, event.message))
    return said


def weights(run: Run) -> list[torch.Tensor]:
    return list(SliceGAN.load(run.path / MODEL, "cpu").generator.state_dict().values())


def assert_as_undisturbed(run: Run) -> None:
    """It has ended, with the weights of a training that nothing has gone wrong with."""
    assert summary_of(run.path).state is RunState.FINISHED
    whole, trainer = started(run.path.with_name("whole"))
    list(whole.record(trainer))
    assert all(torch.equal(one, other) for one, other in zip(weights(run), weights(whole), strict=True))
    assert not [file for file in run.path.rglob("*") if file.name.endswith(".part")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_is_full_for_a_while_costs_previews_and_no_training(tmp_path, kind):
    with small_disk(tmp_path / "disk", kind) as disk:
        run, trainer = started(disk.path / "run")
        said = trained(run, trainer, {INTERVAL + 1: disk.fill, 2 * INTERVAL - 1: disk.free})
        assert (said[0][0], said[-1]) == (INTERVAL + 1, (2 * INTERVAL, ""))
        words = " ".join(message for _, message in said)
        assert "The training goes on without its previews: " in words
        assert f"The training goes on without its {STATUS}: " in words
        assert words.count("Free some space or choose another disk.") == words.count("The training goes on")
        assert summary_of(run.path).message == ""
        assert_as_undisturbed(run)


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_that_does_not_fit_ends_the_training_and_leaves_the_one_before(tmp_path, kind):
    with small_disk(tmp_path / "disk", kind) as disk:
        run, trainer = started(disk.path / "run")
        with pytest.raises(OutputError, match=rf"{CHECKPOINT} cannot be written: .*\. Free some space or choose"):
            trained(run, trainer, {INTERVAL + 1: disk.fill})
        disk.free()
        assert Saved.read(run.path / CHECKPOINT).iteration == INTERVAL
        assert summary_of(run.path).state in (RunState.INTERRUPTED, RunState.FAILED)
        assert summary_of(run.path).can_continue
        trained(run, run.trainer())
        assert_as_undisturbed(run)


@pytest.mark.parametrize("name", [LOG, STATUS, PREVIEWS])
def test_a_file_that_can_never_be_written_is_told_of_once_and_ends_no_training(tmp_path, name):
    run, trainer = started(tmp_path / "run")
    if name == PREVIEWS:
        (run.path / name).touch()
    else:
        (run.path / name).mkdir()
    follower = Follower(run.path)
    ((iteration, message),) = trained(run, trainer)
    assert iteration <= 2
    assert message.startswith(f"The training goes on without its {name}: ")
    if name != LOG:
        assert Hindered(iteration, message) in follower.poll()
    if name != STATUS:
        assert summary_of(run.path).message == message
    shutil.rmtree(run.path / name) if name != PREVIEWS else (run.path / name).unlink()
    assert Saved.read(run.path / CHECKPOINT).iteration == ITERATIONS
    assert SliceGAN.load(run.path / MODEL, "cpu").info.provenance["iterations"] == ITERATIONS


def test_a_model_that_cannot_be_written_fails_at_the_end_and_is_there_in_the_checkpoint(tmp_path):
    run, trainer = started(tmp_path / "run")
    (run.path / MODEL).mkdir()
    with pytest.raises(OutputError, match=f"{MODEL} cannot be written"):
        trained(run, trainer)
    assert summary_of(run.path).state is RunState.FAILED
    assert MODEL in summary_of(run.path).message
    (run.path / MODEL).rmdir()
    assert SliceGAN.load(run.path, "cpu").info.provenance["iterations"] == ITERATIONS
    trained(run, run.trainer())
    assert_as_undisturbed(run)


@pytest.mark.parametrize("put", [Path.touch, lambda _: None], ids=["a file in its place", "nothing in its place"])
def test_a_folder_that_has_gone_is_not_made_anew_and_goes_on_when_it_is_back(tmp_path, put):
    run, trainer = started(tmp_path / "run")
    away = tmp_path / "away"

    def remove():
        run.path.rename(away)
        put(run.path)

    with pytest.raises(OutputError, match=f"{CHECKPOINT} cannot be written: "):
        trained(run, trainer, {INTERVAL + 1: remove})
    assert not run.path.is_dir()
    run.path.unlink(missing_ok=True)
    away.rename(run.path)
    assert Saved.read(run.path / CHECKPOINT).iteration == INTERVAL
    trained(run, run.trainer())
    assert_as_undisturbed(run)


def test_a_folder_that_may_not_be_written_to_any_more_keeps_its_checkpoint():
    with tempfile.TemporaryDirectory() as place:  # others may look into it, not as into pytest's
        Path(place).chmod(0o755)
        whole, trainer = started(Path(place) / "before")
        list(whole.record(trainer))  # loads all modules, which somebody else may not be allowed to
        run, trainer = started(Path(place) / "run")
        events = run.record(trainer)
        while not (run.path / CHECKPOINT).exists():
            next(events)
        with (
            read_only(run.path, run.path / PREVIEWS),
            pytest.raises(OutputError, match=f"{CHECKPOINT} cannot be written: Permission denied. Choose another"),
        ):
            list(events)
        assert Saved.read(run.path / CHECKPOINT).iteration == INTERVAL
        trained(run, run.trainer())
        assert_as_undisturbed(run)


def filling(disk, at: float):
    """A progress callback that fills a disk."""

    def progress(done: float) -> None:
        if done >= at:
            disk.fill()

    return progress


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [*RESUMABLE, ".vti"])
def test_a_volume_that_no_longer_fits_is_kept_as_far_as_it_is_done(tmp_path, kind, ending):
    model, whole = narrow_model(), tmp_path / f"whole{ending}"
    stream(model, REQUEST, whole)
    with small_disk(tmp_path / "disk", kind) as disk:
        path = disk.path / f"v{ending}"
        with pytest.raises(
            OutputError, match=r"cannot be written: .*\. Free some space or choose another disk\."
        ) as said:
            stream(model, REQUEST, path, progress=filling(disk, 0.5))
        disk.free()
        assert not path.exists()
        if ending == ".vti":
            assert names(disk.path) == set()
        else:
            assert f"What is done is kept in {part_of(path)}: resume it (--resume)." in str(said.value)
            assert journal_of(path).read_bytes().count(b'"pieces"') >= 5
        first = []
        stream(model, REQUEST, path, resume=True, progress=first.append)
        assert first[0] >= (0 if ending == ".vti" else 0.4)
        assert content(path) == content(whole)


@pytest.mark.parametrize("ending", [*CONTIGUOUS, ".ome.zarr", ".vti"])
def test_a_volume_whose_folder_has_gone_does_not_look_as_if_it_were_there(tmp_path, ending):
    folder = tmp_path / "folder"
    folder.mkdir()

    def progress(done: float) -> None:
        if done >= 0.5 and folder.is_dir() and not (tmp_path / "gone").exists():
            (tmp_path / "gone").touch()
            shutil.rmtree(folder)

    with pytest.raises(OutputError, match=rf"v{ending}\S* cannot be written: No such file or directory") as said:
        stream(narrow_model(), REQUEST, folder / f"v{ending}", progress=progress)
    assert "is kept" not in str(said.value)
    assert not folder.exists() or names(folder) == set()
