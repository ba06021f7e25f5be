//! Walks over bytes in Thrift's compact protocol without building anything.
//!
//! The Parquet library reads a field by its number alone, whatever type its bytes claim. So a field that a [`Shape`]
//! knows must have the type that the shape says, or two readers could see two different things in the same bytes.

use std::fmt;

/// A list has at most so many elements. Nothing that Parquet's metadata lists is nearly as long.
const MAX_LIST: usize = 1 << 20;

/// Unknown fields are nested at most so deep.
const MAX_UNKNOWN_DEPTH: usize = 16;

/// A varint of 64 bits.
const MAX_VARINT_BYTES: u32 = 10;

/// What the bytes of a field look like.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Byte,
    /// Of 16, 32 or 64 bits, which look alike.
    Int,
    Double,
    Binary,
    Struct(&'static Shape),
    List(&'static Kind),
}

/// A struct, and those of its fields that are known.
pub(super) struct Shape {
    pub(super) name: Name,
    pub(super) fields: &'static [(i16, Kind)],
}

/// The structs that a walk tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    File,
    SchemaElement,
    RowGroup,
    ColumnChunk,
    KeyValue,
    Page,
    DataPage,
    DictionaryPage,
    DataPageV2,
    Other,
}

/// What a walk comes past.
pub(super) enum Seen<'b> {
    Begins,
    Int(i16, i64),
    Bool(i16, bool),
    Binary(i16, &'b [u8]),
    /// A list, and the number of its elements.
    List(i16, usize),
    Ends,
}

/// Why bytes are refused.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Into<String>> From<T> for Refused {
    fn from(reason: T) -> Self {
        Self(reason.into())
    }
}

/// Is told what a walk comes past, and may end it.
pub(super) trait Visitor<'b> {
    fn see(&mut self, name: Name, seen: Seen<'b>) -> Result<(), Refused>;
}

/// A place in the bytes.
pub(super) struct Walk<'b> {
    rest: &'b [u8],
}

mod wire {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const UUID: u8 = 13;
}

impl Kind {
    fn is(self, wire: u8) -> bool {
        match self {
            Self::Bool => matches!(wire, wire::TRUE | wire::FALSE),
            Self::Byte => wire == wire::BYTE,
            Self::Int => (wire::I16..=wire::I64).contains(&wire),
            Self::Double => wire == wire::DOUBLE,
            Self::Binary => wire == wire::BINARY,
            Self::Struct(_) => wire == wire::STRUCT,
            Self::List(_) => wire == wire::LIST,
        }
    }
}

impl<'b> Walk<'b> {
    pub(super) fn over(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The number of bytes that lie ahead.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Walks over a struct. Shapes are not recursive, so this goes no deeper than they do.
    pub(super) fn pass(&mut self, shape: &'static Shape, visitor: &mut impl Visitor<'b>) -> Result<(), Refused> {
        visitor.see(shape.name, Seen::Begins)?;
        let mut last = 0_i16;
        loop {
            let header = self.byte()?;
            let (delta, wire) = (header >> 4, header & 0x0f);
            if wire == 0 {
                return visitor.see(shape.name, Seen::Ends);
            }
            let id = if delta == 0 { i16::try_from(self.int()?).ok() } else { last.checked_add(i16::from(delta)) };
            last = id.ok_or("a field has a number that no field has")?;
            match shape.fields.iter().find(|(id, _)| *id == last) {
                Some((_, kind)) if !kind.is(wire) => return Err("a field has another type than it must have".into()),
                Some((id, Kind::Bool)) => visitor.see(shape.name, Seen::Bool(*id, wire == wire::TRUE))?,
                Some((id, kind)) => self.pass_known(*kind, (shape.name, *id), visitor)?,
                None => self.pass_unknown(wire, MAX_UNKNOWN_DEPTH)?,
            }
        }
    }

    fn pass_known(&mut self, kind: Kind, at: (Name, i16), visitor: &mut impl Visitor<'b>) -> Result<(), Refused> {
        let (name, id) = at;
        match kind {
            // No list of them is known, and in a struct they have no bytes.
            Kind::Bool => Ok(()),
            Kind::Byte => self.byte().map(drop),
            Kind::Int => {
                let value = self.int()?;
                visitor.see(name, Seen::Int(id, value))
            }
            Kind::Double => self.bytes(8).map(drop),
            Kind::Binary => {
                let value = self.binary()?;
                visitor.see(name, Seen::Binary(id, value))
            }
            Kind::Struct(shape) => self.pass(shape, visitor),
            Kind::List(element) => {
                let (wire, length) = self.list_header()?;
                if length > 0 && !element.is(wire) {
                    return Err("the elements of a list have another type than they must have".into());
                }
                visitor.see(name, Seen::List(id, length))?;
                (0..length).try_for_each(|_| self.pass_known(*element, at, visitor))
            }
        }
    }

    fn pass_unknown(&mut self, wire: u8, depth: usize) -> Result<(), Refused> {
        let deeper = || depth.checked_sub(1).ok_or(Refused::from("fields are nested too deep"));
        match wire {
            wire::TRUE | wire::FALSE => Ok(()),
            wire::BYTE => self.byte().map(drop),
            wire::I16..=wire::I64 => self.int().map(drop),
            wire::DOUBLE => self.bytes(8).map(drop),
            wire::BINARY => self.binary().map(drop),
            wire::UUID => self.bytes(16).map(drop),
            wire::LIST | wire::SET => {
                let depth = deeper()?;
                let (element, length) = self.list_header()?;
                if length > 0 && matches!(element, wire::TRUE | wire::FALSE) {
                    // Readers disagree on whether such elements have bytes.
                    return Err("it has a list of booleans, which no file has there".into());
                }
                (0..length).try_for_each(|_| self.pass_unknown(element, depth))
            }
            wire::STRUCT => {
                let depth = deeper()?;
                loop {
                    let header = self.byte()?;
                    if header & 0x0f == 0 {
                        return Ok(());
                    }
                    if header >> 4 == 0 {
                        self.int()?;
                    }
                    self.pass_unknown(header & 0x0f, depth)?;
                }
            }
            _ => Err("a field has a type that no file has there".into()),
        }
    }

    /// The type and number of a list's elements. Each takes a byte or more, so that there cannot be more than bytes.
    fn list_header(&mut self) -> Result<(u8, usize), Refused> {
        let header = self.byte()?;
        let length = match header >> 4 {
            15 => usize::try_from(self.varint()?).unwrap_or(usize::MAX),
            short => usize::from(short),
        };
        if length > self.rest.len() {
            return Err("a list is longer than the bytes that are there".into());
        }
        if length > MAX_LIST {
            return Err(format!("a list has {length} elements; at most {MAX_LIST} are taken").into());
        }
        Ok((header & 0x0f, length))
    }

    fn byte(&mut self) -> Result<u8, Refused> {
        let (first, rest) = self.rest.split_first().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, length: usize) -> Result<&'b [u8], Refused> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn binary(&mut self) -> Result<&'b [u8], Refused> {
        let length = self.varint()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Refused> {
        let mut value = 0_u64;
        for place in 0..MAX_VARINT_BYTES {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has too many digits".into())
    }

    pub(super) fn int(&mut self) -> Result<i64, Refused> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

/// The bytes end too early. Of a page's header, more may have to be read.
pub(super) const TOO_SHORT: &str = "it ends too early";

fn too_short() -> Refused {
    TOO_SHORT.into()
}
