"""What evaluations decide: the best model, the end, and that a training has gone astray."""

import pytest

from napari_slicegan.core.choosing import LOST_IN_A_ROW, SLOWEST_START, Standing, Verdict, score
from napari_slicegan.core.events import Evaluation


def found(iteration, error, lost=""):
    return Evaluation(iteration, *(tolerance * error for tolerance in (0.006, 0.02, 0.1, 0.005)), lost)


def verdicts(errors, patience=0, standing=None):
    """Verdicts on evaluations; None is one without a phase."""
    standing, said = standing or Standing(), []
    for number, error in enumerate(errors, 1):
        new = found(number, 9.0, "phase 2") if error is None else found(number, error)
        standing, verdict = standing.after(new, patience)
        said.append(verdict)
    return standing, said


def test_the_score_weighs_the_errors_by_what_is_tolerable():
    assert score(found(1, 1.0)) == pytest.approx(1)
    assert score(Evaluation(1, 0.006, 0.0)) == score(Evaluation(1, 0.0, 0.02)) == pytest.approx(1 / 4)
    assert score(Evaluation(1, 0.0, 0.0, 0.3)) == pytest.approx(3 / 4)
    assert score(Evaluation(1, 0.0, 0.0, 0.0, 0.01)) == pytest.approx(2 / 4)


def test_the_best_is_kept_and_not_the_last():
    standing, said = verdicts([3, 2, 2.5, 1.99, 2])
    assert said == [Verdict.GO_ON] * 5
    assert (standing.best.iteration, standing.newest.iteration) == (4, 5)


def test_small_steps_are_no_progress():
    _, said = verdicts([1, 0.99, 0.98, 0.97, 0.96], patience=4)
    assert said == [Verdict.GO_ON] * 4 + [Verdict.END]
    _, said = verdicts([1, 0.98, 0.96, 0.94, 0.92, 0.9], patience=4)  # together they are
    assert said == [Verdict.GO_ON] * 6
    _, said = verdicts([1, 2, 2, 2, 2], patience=0)
    assert Verdict.END not in said


def test_a_phase_may_be_late_but_not_go_for_long():
    for start in (Standing(), Standing().recovered(100)):
        lost = [found(start.began + updates, 9.0, "phase 2") for updates in (SLOWEST_START - 1, SLOWEST_START)]
        assert [start.after(one, 0)[1] for one in lost] == [Verdict.GO_ON, Verdict.RECOVER]
    standing, said = verdicts([2, *[None] * (LOST_IN_A_ROW - 1), 3, *[None] * LOST_IN_A_ROW])
    assert said == [
        Verdict.GO_ON,
        *[Verdict.GO_ON] * (LOST_IN_A_ROW - 1),
        Verdict.GO_ON,
        *[Verdict.GO_ON] * (LOST_IN_A_ROW - 1),
        Verdict.RECOVER,
    ]
    assert standing.best.iteration == 1
    again = standing.recovered(7)
    assert (again.recoveries, again.lost, again.best, again.began) == (1, 0, standing.best, 7)


def test_volumes_without_a_phase_are_never_the_best():
    standing, _ = verdicts([None, 100.0])
    better, _ = standing.after(Evaluation(3, 0.0, 0.0, lost="phase 1"), 0)
    assert better.best.iteration == 2


def test_a_standing_survives_a_checkpoint():
    for standing in (Standing(), verdicts([3, None, 2])[0].recovered(2)):
        assert Standing.from_dict(standing.to_dict()) == standing
