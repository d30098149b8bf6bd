import pytest

from weldbench.data.run_name import process_facts


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            "160708-140302-50mmLens 200A w.s.Lev16 g.f.15L.m try joining 5mm Plate",
            {
                "recorded": "2016-07-08T14:03:02",
                "current_a": 200,
                "travel_speed_level": 16,
                "gas_flow_l_per_min": 15,
                "plate_mm": 5,
                "lens_mm": 50,
            },
        ),
        (
            "160705-151210-50mmLens 150A 17.2V w.s.lev8",
            {
                "recorded": "2016-07-05T15:12:10",
                "current_a": 150,
                "voltage_v": 17.2,
                "travel_speed_level": 8,
                "lens_mm": 50,
            },
        ),
        (
            "160707-111307-50mmLens 200A w.s.11.5cm.m + no shielding gas",
            {"recorded": "2016-07-07T11:13:07", "current_a": 200, "travel_speed_cm_per_min": 11.5, "lens_mm": 50},
        ),
        ("160708-110713-50mmLens 10mmPlate", {"recorded": "2016-07-08T11:07:13", "plate_mm": 10, "lens_mm": 50}),
        ("161215-093333-run9", {"recorded": "2016-12-15T09:33:33"}),
        ("999999-999999-run9", {}),
        ("Schweißnaht A3 Version2", {}),
        ("", {}),
    ],
)
def test_process_facts(run: str, expected: dict[str, float | str]) -> None:
    assert process_facts(run) == expected
