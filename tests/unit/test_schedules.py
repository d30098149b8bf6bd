import pytest

from weldbench.config.models import FullCon6
from weldbench.training.schedules import factor


def factors(steps=1000, **settings):
    model = FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=1, **settings)
    return [factor(model, step, steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "soft_start"])
def test_it_rises_to_one_at_the_end_of_the_warm_up_and_never_above(schedule):
    rates = factors(schedule=schedule, warmup=0.2)
    assert rates[:200] == sorted(rates[:200])
    assert rates[0] < 0.01
    assert rates[200] == pytest.approx(1, abs=0.01)
    assert min(rates) > 0
    assert max(rates) <= 1
    assert rates[200:] == sorted(rates[200:], reverse=True)


def test_by_hand():
    assert factors(schedule="constant", warmup=0)[-1] == 1
    cosine = factors(schedule="cosine", warmup=0.2)
    assert cosine[100] == pytest.approx(0.5, abs=0.01)  # half of the linear warm-up
    assert cosine[600] == pytest.approx(0.5, abs=0.01)  # half of the cosine
    assert cosine[-1] < 1e-5
    assert factors(schedule="one_cycle", warmup=0.4)[200] == pytest.approx(0.5, abs=0.01)
    soft = factors(schedule="soft_start", warmup=0.2, anneal_from=0.6)
    assert soft[100] == pytest.approx(1e-3**0.5, rel=0.02)  # half way, in powers of ten
    assert soft[200:600] == [1.0] * 400
    assert soft[800] == pytest.approx(1e-3**0.5, rel=0.02)
    assert soft[-1] == pytest.approx(1e-3, rel=0.02)
