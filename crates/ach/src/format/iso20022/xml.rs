//! The XML: elements with the way to them, one by one.

use std::io::{BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader, XmlVersion};

use crate::entry::FilePosition;
use crate::format::bounded::{Bounded, Passage};
use crate::format::foreign::Foreign;
use crate::format::{FileRejected, ReadError};

/// The most elements within each other.
const DEEPEST: usize = 64;
/// The longest text of an element, in bytes.
const LONGEST_TEXT: usize = 16 * 1024;

/// What comes next in a document.
pub(super) enum Node {
    /// An element begins.
    Begin,
    /// An element ends that has a text and no elements in it.
    Leaf(Leaf),
    /// An element ends that has others in it.
    End,
}

/// The text of an element, and its currency where it is an amount.
pub(super) struct Leaf {
    pub(super) text: String,
    pub(super) currency: String,
}

/// Reads a document.
pub(super) struct Xml<R: Read> {
    reader: Reader<BufReader<Bounded<R>>>,
    passage: Passage,
    buffer: Vec<u8>,
    /// The names of the elements that are open, from the outside.
    pub(super) path: Vec<String>,
    /// The namespace of the document.
    pub(super) namespace: String,
    /// Whether the element that just ended is still the last of the path.
    ended: bool,
    has_elements: bool,
    leaf: Leaf,
}

impl<R: Read> Xml<R> {
    pub(super) fn new(input: R) -> Self {
        let (input, passage) = Bounded::new(input);
        let mut reader = Reader::from_reader(BufReader::new(input));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            passage,
            buffer: Vec::new(),
            path: Vec::new(),
            namespace: String::new(),
            ended: false,
            has_elements: false,
            leaf: Leaf {
                text: String::new(),
                currency: String::new(),
            },
        }
    }

    /// Where the reader is, in the transaction with this number.
    pub(super) fn at(&self, transaction: u64) -> FilePosition {
        FilePosition {
            line: transaction.max(1),
            byte: self.reader.buffer_position(),
        }
    }

    /// Whether the file has nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.passage.is_blank()
    }

    /// The next node; `None` at the end of the document.
    pub(super) fn next(&mut self) -> Result<Option<Node>, ReadError> {
        if std::mem::take(&mut self.ended) {
            self.path.pop();
        }
        loop {
            self.passage.renew();
            let text = match self.event().map_err(|error| self.fault_of(error))? {
                Seen::Begin(begun) => return self.begin(begun).map(|()| Some(Node::Begin)),
                Seen::End => {
                    self.ended = true;
                    if std::mem::replace(&mut self.has_elements, true) {
                        return Ok(Some(Node::End));
                    }
                    let empty = Leaf {
                        text: String::new(),
                        currency: String::new(),
                    };
                    return Ok(Some(Node::Leaf(std::mem::replace(&mut self.leaf, empty))));
                }
                Seen::Text(text) => text,
                Seen::Forbidden(why) => return Err(self.fault(why)),
                Seen::Eof if self.path.is_empty() => return Ok(None),
                Seen::Eof => {
                    return Err(self.fault(
                        "the file ends in the middle of the document: it was probably cut off; fetch \
                         it again",
                    ));
                }
            };
            if self.leaf.text.len() + text.len() > LONGEST_TEXT {
                return Err(self.fault("the text of an element is longer than 16 KiB"));
            }
            self.leaf.text.push_str(&text);
        }
    }

    /// The next event that matters.
    fn event(&mut self) -> Result<Seen, Error> {
        loop {
            self.buffer.clear();
            return Ok(match self.reader.read_event_into(&mut self.buffer)? {
                Event::Start(start) => Seen::Begin(begun(&start)),
                Event::End(_) => Seen::End,
                Event::Text(text) => Seen::Text(text.to_string()),
                Event::CData(text) => Seen::Text(text.to_string()),
                Event::GeneralRef(name) => match (name.resolve_char_ref(), &*name) {
                    (Ok(Some(letter)), _) => Seen::Text(letter.to_string()),
                    (_, "amp") => Seen::Text("&".to_owned()),
                    (_, "lt") => Seen::Text("<".to_owned()),
                    (_, "gt") => Seen::Text(">".to_owned()),
                    (_, "quot") => Seen::Text("\"".to_owned()),
                    (_, "apos") => Seen::Text("'".to_owned()),
                    _ => Seen::Forbidden("the document has an entity that XML does not define"),
                },
                Event::DocType(_) => {
                    Seen::Forbidden("the document has a DOCTYPE, which ISO 20022 never has")
                }
                Event::Eof => Seen::Eof,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            });
        }
    }

    fn begin(&mut self, begun: Begun) -> Result<(), ReadError> {
        if self.path.len() == DEEPEST {
            return Err(self.fault("elements are more than 64 deep in each other"));
        }
        if self.path.is_empty() {
            if !self.namespace.is_empty() {
                return Err(self.fault("a second document follows the first; split the file"));
            }
            self.namespace = begun.namespace;
        }
        self.path.push(begun.name);
        self.has_elements = false;
        self.leaf = Leaf {
            text: String::new(),
            currency: begun.currency,
        };
        Ok(())
    }

    /// A fault of the file.
    pub(super) fn fault(&self, why: &str) -> ReadError {
        let why = match self.passage.foreign(Foreign::Iso20022) {
            Some(foreign) => format!("this is not a file of ISO 20022: {foreign}"),
            None => why.to_owned(),
        };
        let at = FilePosition {
            line: 1,
            byte: self.reader.error_position(),
        };
        FileRejected::new(why).at(at).into()
    }

    fn fault_of(&self, error: Error) -> ReadError {
        match error {
            Error::Io(error) => {
                let error = std::sync::Arc::try_unwrap(error).unwrap_or_else(|shared| {
                    std::io::Error::new(shared.kind(), shared.to_string())
                });
                self.passage.fault(error, self.at(1))
            }
            Error::Encoding(_) => self.fault("the text is not UTF-8"),
            // Their texts have names of elements and places, never a value.
            Error::Syntax(why) => self.fault(&format!("this is not valid XML: {why}")),
            Error::IllFormed(why) => self.fault(&format!("this is not valid XML: {why}")),
            Error::InvalidAttr(_) | Error::Escape(_) | Error::Namespace(_) => {
                self.fault("this is not valid XML: an attribute or an escape is wrong")
            }
        }
    }
}

/// What the XML has next.
enum Seen {
    Begin(Begun),
    End,
    Text(String),
    /// Something that no message has, and why it is refused.
    Forbidden(&'static str),
    Eof,
}

/// What a start tag says.
struct Begun {
    name: String,
    namespace: String,
    currency: String,
}

fn begun(start: &BytesStart<'_>) -> Begun {
    let attribute = |names: fn(&str) -> bool| {
        let mut all = start.attributes().filter_map(Result::ok);
        let found = all.find(|one| names(one.key.into_inner()));
        let value = found.and_then(|one| one.normalized_value(XmlVersion::Implicit1_0).ok());
        value.map_or_else(String::new, |value| value.into_owned())
    };
    Begun {
        name: start.local_name().into_inner().to_owned(),
        // With a prefix, the document's own namespace is that of its prefix.
        namespace: attribute(|name| {
            name == "xmlns" || (name.starts_with("xmlns:") && name != "xmlns:xsi")
        }),
        currency: attribute(|name| name == "Ccy"),
    }
}
