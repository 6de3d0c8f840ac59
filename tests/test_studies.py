"""The index of studies: what it takes from them, and that it is up to date."""

from pathlib import Path

import pytest

from experiments.index import index, main, studies

README = """# Is a better than b?

**In short.** By 0.3 dB,
one seed.

**Question.** Which?

**Command.** `true`

**Setting.** x2.

**Verdict.** Yes.
"""


def study(folder: Path, results: str, readme: str = README) -> None:
    folder.mkdir()
    (folder / "README.md").write_text(readme)
    (folder / "results.csv").write_text(results)


def test_the_index_is_up_to_date() -> None:
    assert main("--check") == 0, "a study changed: python experiments/index.py"


def test_seeds_are_averaged_and_two_hashes_are_two_tables(tmp_path: Path) -> None:
    study(
        tmp_path / "one",
        "network,scale,seed,dataset,metric,value,protocol,protocol_hash\n"
        "a,2,1,set5,psnr_y,30.0,y,aa\na,2,2,set5,psnr_y,32.0,y,aa\na,2,1,set5,ssim_y,0.9,y,aa\n"
        "b,2,1,set5,psnr_y,31.5,y,aa\nb,2,1,set5,psnr_y,40.0,y,bb\nb,4,1,set5,psnr_y,20.0,y,aa\nc,2,1,set5,psnr_y,50.0,y,\n",
    )
    study(
        tmp_path / "two",
        "network,scale,set5_psnr_y,set14_psnr_y,set5_ssim_y,step_s,protocol,protocol_hash\nb,2,31.5,29.0,,0.1,y,aa\n",
    )
    text = index(tmp_path)
    assert "| [one](one) | Is a better than b? | By 0.3 dB, one seed. |" in text
    assert text.count("\n### ") == 3
    first = text.split("### ")[1].splitlines()
    assert first[0] == "x2, y (aa)"
    # of equals on set5, what was measured on set14 too comes first; 1.41 is the deviation of 30 and 32
    assert first[4:] == [
        "| b | 31.50 | 29.00 | [two](two) |",
        "| b | 31.50 |  | [one](one) |",
        "| a | 31.00 ± 1.41 / 0.9000 |  | [one](one) |",
        "",
    ]
    assert "50.00" not in text, "a score without a protocol has no place"


def test_a_score_that_is_no_number_comes_last(tmp_path: Path) -> None:
    study(
        tmp_path / "one",
        "network,scale,dataset,metric,value,protocol,protocol_hash\n"
        "a,2,set5,psnr_y,nan,y,aa\nb,2,set5,psnr_y,30.0,y,aa\nc,2,set5,psnr_y,nan,y,aa\nd,2,set5,psnr_y,31.0,y,aa\n",
    )
    (tmp_path / "one/results.csv").open("a").write("a,2,set5,psnr_y,32.0,y,aa\n")  # another seed of a
    lines = [line[:3] for line in index(tmp_path).split("### ")[1].splitlines()[4:]]
    assert lines == ["| d", "| b", "| a", "| c"]


def test_means_of_sets_count_and_images_do_not(tmp_path: Path) -> None:
    rows = "set5,baby,psnr_y,99,dB,y,aa,net,2,,0\nset5,mean,psnr_y,31,dB,y,aa,net,2,,0\n"
    header = "dataset,image,metric,value,unit,protocol,protocol_hash,network,scale,weights,seconds\n"
    study(tmp_path / "one", header + rows)
    study(tmp_path / "two", header + rows)
    lines = [line for line in index(tmp_path).splitlines() if line.startswith("| net |")]
    assert lines == ["| net | 31.00 | [one](one), [two](two) |"]


@pytest.mark.parametrize("lacking", ["In short", "Verdict", "results.csv", "?"])
def test_a_study_that_lacks_a_part_is_named(tmp_path: Path, lacking: str) -> None:
    study(tmp_path / "one", "a\n", README.replace(f"**{lacking}.**", "").replace(lacking, ""))
    if lacking == "results.csv":
        (tmp_path / "one/results.csv").unlink()
    with pytest.raises(ValueError, match=r"one: a study has .*" + ("title" if lacking == "?" else lacking)):
        studies(tmp_path)
