//! Formatting as values: which marks a run has, and how a mark's ends grow.

use crate::json::Json;
use crate::sorted::SortedMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// The marks of a run of text: names and values, by name. Cloning shares them; none takes no memory.
///
/// # Examples
/// ```
/// use crdt_core::{Json, Marks};
///
/// let marks: Marks = [("link", Json::string("https://example.org")), ("bold", Json::yes())].into_iter().collect();
/// assert_eq!(marks.get("bold"), Some(&Json::yes()));
/// assert_eq!(marks.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["bold", "link"]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Marks(Option<Arc<[NamedValue]>>);

type NamedValue = (Arc<str>, Json);

impl Marks {
    /// No marks.
    pub const NONE: Self = Self(None);

    /// Of pairs that ascend by name.
    pub(crate) fn of_sorted(pairs: Vec<NamedValue>) -> Self {
        if pairs.is_empty() { Self(None) } else { Self(Some(pairs.into())) }
    }

    /// Names and values, in ascending order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().flat_map(|pairs| pairs.iter()).map(|(name, value)| (&**name, value))
    }

    /// The value of a mark. O(marks).
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |pairs| pairs.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<Name: Into<Arc<str>>> FromIterator<(Name, Json)> for Marks {
    /// The last value of a name counts.
    fn from_iter<I: IntoIterator<Item = (Name, Json)>>(pairs: I) -> Self {
        let map: SortedMap<Arc<str>, Json> =
            pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self::of_sorted(map.into_iter().collect())
    }
}

/// Which ends of a mark take up what is typed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Expand {
    /// Text typed directly in front of it.
    Before,
    /// Text typed directly behind it, as bold does.
    After,
    /// Both.
    Both,
    /// Neither, as a link does.
    None,
}

impl Expand {
    /// What a mark of this name does where nobody said otherwise ([`Doc::set_expand`](crate::Doc::set_expand)).
    ///
    /// The part of the name in front of `:` decides. Links, comments, inline code's blocks and everything that formats a
    /// block stay as they are; all else grows at its end.
    pub fn of(name: &str) -> Self {
        match kind_of(name) {
            "link" | "comment" | "header" | "list" | "align" | "indent" | "direction" | "blockquote"
            | "code-block" | "table" => Self::None,
            _ => Self::After,
        }
    }

    pub(crate) fn grows_before(self) -> bool {
        matches!(self, Self::Before | Self::Both)
    }

    pub(crate) fn grows_after(self) -> bool {
        matches!(self, Self::After | Self::Both)
    }
}

/// The part of a mark's name that decides how it grows.
pub(crate) fn kind_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(kind, _)| kind)
}

/// A stretch of a document's content whose elements have the same marks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TextRun {
    /// What stands there.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub content: Content,
    /// Its marks.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Marks::is_empty"))]
    pub marks: Marks,
}

/// What a run holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Content {
    /// Text; never empty where a document gives it.
    Text(String),
    /// One element with a value: an image, a formula, a mention.
    Embed(Json),
}

impl TextRun {
    /// A run of text.
    pub fn text(text: impl Into<String>, marks: Marks) -> Self {
        Self { content: Content::Text(text.into()), marks }
    }

    /// An embed.
    pub fn embed(value: Json, marks: Marks) -> Self {
        Self { content: Content::Embed(value), marks }
    }
}
