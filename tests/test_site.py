"""The pages of the documentation site that are made from code and configuration; `make docs` builds all, strictly."""

from docs.site import paradigms, reference, taxonomy
from docs.site.hooks import relinked
from srlab.taxonomy import DESIGNS, FRAMEWORKS, UPSAMPLERS


def test_every_word_of_the_taxonomy_leads_to_its_code() -> None:
    (text,) = taxonomy.pages().values()
    for name in (*FRAMEWORKS, *UPSAMPLERS, *DESIGNS):
        assert f"[{name}](reference/srlab.networks." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| channel attention |")]
    assert "[RCAN](reference/srlab.networks.backbones.rcan.md#srlab.networks.backbones.rcan.RCAN)" in row
    assert "`backbone=rcan`" in row
    assert "`network=rcan`" in row


def test_every_paradigm_has_a_page_and_its_studies_pictures() -> None:
    pages = paradigms.pages()
    assert {f"paradigms/{name}.md" for name in paradigms.NAMES} < set(pages)
    page = pages["paradigms/deep_image_prior.md"]
    assert "(../experiments/deep_image_prior/butterfly.png)" in page
    assert "`experiment=dip_x4`" in page
    assert "[single_image](../single_image.md)" in page
    assert "`experiment=zssr_x2_gradual`" in pages["paradigms/zero_shot.md"], "an experiment over another"


def test_every_module_has_a_page() -> None:
    pages = reference.pages()
    assert pages["reference/srlab.paradigms.base.md"] == "# srlab.paradigms.base\n\n::: srlab.paradigms.base\n"
    assert "[srlab.losses](srlab.losses.md)" in pages["reference/index.md"]


def test_links_lead_into_the_site() -> None:
    text = "[a](../experiments/zero_shot) [b](losses.md#features) [c](../tests/conftest.py) [d](https://x.y) ![e](demo.png)"
    moved = (
        "[a](experiments/zero_shot/README.md) [b](losses.md#features) [c](code/tests/conftest.py.md) [d](https://x.y)"
    )
    assert relinked("docs/single_image.md", text) == f"{moved} ![e](demo.png)"
    assert relinked("README.md", "[a](docs/losses.md) [b](docs/demo.png)") == "[a](losses.md) [b](demo.png)"
    assert (
        relinked("experiments/zero_shot/README.md", "[a](results.csv)")
        == "[a](../../code/experiments/zero_shot/results.csv.md)"
    )
