import numpy as np
import pandas as pd

from weldbench.reporting.narrative import (
    about_choice,
    about_cost,
    about_data,
    about_frames,
    about_leader,
    about_operating_points,
    about_pairs,
    about_published,
    about_start,
    about_vote,
    about_weakness,
)

COST = pd.DataFrame(
    {
        "model": ["a", "b"],
        "training_seconds": [2.0, 30.0],
        "inference_ms_per_frame": [0.125, 4.0],
        "starts_from": "random weights",
        "device": "cpu",
    }
)


def summary(**changes):
    rows = [
        {"model": "conv6", "macro_f1": 0.8, "macro_f1_low": 0.7, "macro_f1_high": 0.875},
        {"model": "resnet18", "macro_f1": 0.9, "macro_f1_low": 0.85, "macro_f1_high": 0.95},
    ]
    shared = {"test_set": "all", "confidence": 0.95, "seeds": 3, "test_frames": 1100, "test_runs": 13, "note": ""}
    other_set = [row | {"test_set": "balanced", "macro_f1": 0.99} for row in rows]
    return pd.DataFrame([shared | row | changes for row in rows] + [shared | row for row in other_set])


def pairs(p, note=""):
    return pd.DataFrame([{"first": "conv6", "second": "resnet18", "p_runs": p, "note": note}])


def test_the_best_model_on_all_frames_leads_and_says_what_it_is_better_than():
    told = about_leader(summary(), pairs(0.01), "weldsim")
    assert told.startswith(
        "On the 1,100 test frames of weldsim, from 13 runs, **resnet18** has the highest macro F1: 0.900"
    )
    assert "(95 % interval 0.850 to 0.950; mean over 3 seeds)" in told
    assert "It is significantly better than conv6 (p 0.01 over runs and seeds, Holm's correction)." in told
    told = about_leader(summary(seeds=1), pairs(0.01), "weldsim")
    assert "It is significantly better than conv6 (p 0.01 over runs, Holm's correction)." in told


def test_an_interval_that_is_too_narrow_is_called_so():
    told = about_leader(summary(note="too narrow, for only one test run shows hole"), pairs(np.nan), "weldsim")
    assert "(95 % interval 0.850 to 0.950, too narrow, for only one test run shows hole; mean over 3 seeds)" in told


def test_a_lead_that_no_test_supports_is_not_called_better():
    for p in (0.2, np.nan):
        told = about_leader(summary(), pairs(p), "weldsim")
        assert "It is not significantly better than conv6." in told
        assert "is significantly better" not in told


def test_of_several_worse_models_the_largest_p_is_told():
    rows = [{"first": "full_con6", "second": "resnet18", "p_runs": 0.0004, "note": ""}]
    told = about_leader(summary(), pd.concat([pairs(0.03), pd.DataFrame(rows)]), "weldsim")
    assert (
        "It is significantly better than conv6 and full_con6 (p at most 0.03 over runs and seeds, Holm's correction)."
        in told
    )


def test_without_an_interval_the_reason_stands_in_its_place():
    changes = {
        "macro_f1_low": np.nan,
        "macro_f1_high": np.nan,
        "note": "one test run per class: no interval",
        "seeds": 1,
    }
    assert "0.900 (one test run per class: no interval; one seed)" in about_leader(summary(**changes), pairs(0.5), "d")


def test_pairs_are_counted():
    assert about_pairs(pairs(0.01), summary()).startswith(
        "Of 1 pair of models, 1 differ significantly at a level of 0.05."
    )
    reasons = ["one test run per class", "the same in every run", "the same in every run"]
    untested = pd.concat([pairs(np.nan, reason) for reason in reasons] + [pairs(0.01)])
    told = about_pairs(untested, summary())
    assert "1 cannot be tested (one test run per class)." in told
    assert "2 cannot be tested (the same in every run)." in told
    assert about_pairs(pairs(0.1).iloc[:0], summary()) == "One model: there is nothing to compare."


def test_imbalance_and_absent_classes():
    counts = [("train", 5, 1), ("valid", 5, 1), ("test", 60, 3)]
    rows = [{"class": "good", "split": split, "frames": frames, "runs": runs} for split, frames, runs in counts]
    rows += [{"class": "hole", "split": split, "frames": 4, "runs": 1} for split in ("train", "valid", "test")]
    rows += [{"class": "crack", "split": split, "frames": 0, "runs": 0} for split in ("train", "valid", "test")]
    rows += [{"class": "total", "split": split, "frames": f + 4, "runs": r + 1} for split, f, r in counts]
    told = about_data(pd.DataFrame(rows).assign(set="as used"), "mine")
    assert "9 frames of 2 runs in train, 9 frames of 2 runs in valid and 64 frames of 4 runs in test" in told
    assert "good has 15 times the frames of hole" in told
    assert "Test has no frames of crack" in told


def test_frames_that_several_folds_train_on_are_not_counted_twice():
    # 30 frames of 5 runs in 3 folds: each run is tested in one, validates in one, trains in the others.
    counts = [(0, "train", 12, 2), (0, "valid", 6, 1), (0, "test", 12, 2)]
    counts += [(1, "train", 12, 2), (1, "valid", 12, 2), (1, "test", 6, 1)]
    counts += [(2, "train", 6, 1), (2, "valid", 12, 2), (2, "test", 12, 2)]
    rows = [
        {"class": name, "set": f"as used, fold {fold}", "split": split, "frames": frames, "runs": runs}
        for fold, split, frames, runs in counts
        for name in ("good", "total")
    ]
    assert about_data(pd.DataFrame(rows), "mine") == (
        "Used of mine in each of 3 folds: 6 to 12 frames of 1 to 2 runs in train, 6 to 12 frames of 1 to 2 runs in "
        "valid and 6 to 12 frames of 1 to 2 runs in test. Together the folds test 30 frames of 5 runs."
    )


def test_classes_that_are_never_predicted():
    rows = [
        {"model": "m", "class": "good", "frames": 9, "f1": 0.9, "recall": 0.8, "note": ""},
        {"model": "m", "class": "hole", "frames": 9, "f1": 0.0, "recall": 0.0, "note": "never predicted"},
        {
            "model": "m",
            "class": "crack",
            "frames": 9,
            "f1": 0.1,
            "recall": 0.1,
            "note": "never predicted in 1 of 3 seeds",
        },
    ]
    assert about_weakness(pd.DataFrame(rows)) == (
        "m is weakest on hole: F1 0.000, recall 0.000. It never predicts hole. With some seeds it never predicts crack."
    )


def test_factory_vote_and_cost():
    rates = {"accepted_false_rejects": [0.01, 0.01], "model": ["a", "b"]}
    factory = pd.DataFrame({**rates, "escape_rate": [0.5, 0.25], "test_false_rejects": [0.02, 0.03]})
    assert (
        "1 %: b, with which 25 % of the defective test frames pass and 3 % of the good ones"
        in about_operating_points(factory)
    )
    assert "No threshold can be chosen" in about_operating_points(pd.DataFrame(rates))
    assert "uncalibrated" not in about_operating_points(factory.assign(calibrated=True))
    assert "These thresholds are uncalibrated" in about_operating_points(factory.assign(calibrated=[True, False]))
    vote = pd.DataFrame({"window_frames": [1, 9], "delay_frames": [0, 4], "model": "a", "macro_f1": [0.7, 0.9]})
    assert "over the last 9 frames, the macro F1 of a is 0.900 instead of 0.700; even" in about_vote(vote)
    assert about_cost(COST).endswith("(15.0 times as long), on cpu. To judge one frame they take 0.125 and 4 ms.")


def test_weights_that_were_learned_before_are_named_and_not_counted():
    assert about_start(COST) == "a and b started from random weights"
    learned = COST.assign(starts_from=["random weights", "ImageNet's weights"])
    assert about_start(learned) == "a started from random weights, b from ImageNet's weights"
    for table in (learned, learned.iloc[1:]):
        assert about_cost(table).endswith(" Not counted: the making of the weights that b started from.")


def test_models_that_learned_from_other_frames_are_told_apart():
    same = COST.assign(learned_from="all frames of train")
    assert about_frames(same) == "All learned from the same frames: all frames of train."
    other = COST.assign(learned_from=["at most 9 frames of each class of train", "all frames of train"])
    assert about_frames(other) == (
        "Not all models learned from the same frames: a from at most 9 frames of each class of train; "
        "b from all frames of train."
    )


def test_times_on_different_devices_are_not_called_comparable():
    told = about_cost(COST.assign(device=["cpu", "NVIDIA A100"]))
    assert "on different devices, whose times are not comparable." in told


def test_published_results_that_quote_no_f1_are_not_said_to_stand_beside_it():
    accuracies = pd.DataFrame({"dataset": ["al5083", "al5083"], "accuracy": [0.8, 0.7]})
    assert "published on al5083 quote no F1" in about_published(accuracies, "al5083")
    assert "Beside them stand" in about_published(accuracies.assign(macro_f1=0.5), "al5083")


def test_what_chose_the_weights_is_told_of_each_model():
    cost = pd.DataFrame({"model": ["a", "b", "c"], "selected_by": ["valid", "cross-validation", "valid"]})
    assert about_choice(cost) == (
        "The weights of a and c were chosen by their score on valid. "
        "The last layer of b was chosen by cross-validation over the runs of train."
    )
    assert about_choice(cost.assign(selected_by="default")).startswith("The last layer of a, b and c was fitted with ")
