use resvg::usvg::{Options, Tree};

use super::gallery::pictures;
use super::*;

#[test]
fn every_picture_can_be_drawn_and_read_back() {
    for (name, chart) in pictures() {
        let drawn = svg(&chart).unwrap_or_default();
        assert!(
            drawn.len() < 60_000 || name == "crowd",
            "{name}: {} bytes",
            drawn.len()
        );
        let tree = Tree::from_str(&drawn, &Options::default());
        assert!(tree.is_ok(), "{name}: {tree:?}");
    }
}
