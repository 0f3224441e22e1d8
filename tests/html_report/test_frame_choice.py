"""Which frames the 3D view holds."""

from __future__ import annotations

from latcpb_cli.html_report.frame_choice import choose_frames


def test_all_frames_where_there_is_room():
    assert choose_frames(4, 10).tolist() == [0, 1, 2, 3]


def test_few_frames_are_spread_evenly_and_hold_the_important_ones():
    chosen = choose_frames(1000, 11, first=[777, 777, 3]).tolist()
    assert {0, 3, 777, 999} <= set(chosen)
    assert len(chosen) <= 11
    assert max(b - a for a, b in zip(chosen, chosen[1:], strict=False)) < 150


def test_one_frame():
    assert choose_frames(50, 1, first=[20]).tolist() == [20]
    assert choose_frames(50, 1).tolist() == [0]
