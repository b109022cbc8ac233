//! The files beside the readings, by name.

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawer {
    /// 测试报: values that never reach live views.
    Tests,
    /// 人工置数.
    Texts,
    /// 图片: which station, when, which blob.
    Pictures,
    /// Frames that were not taken, with the reason.
    SetAside,
}

impl Drawer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Texts => "texts",
            Self::Pictures => "pictures",
            Self::SetAside => "set-aside",
        }
    }
}
