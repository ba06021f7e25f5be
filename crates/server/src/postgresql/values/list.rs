//! Lists, which are arrays in PostgreSQL: of as many dimensions as there are lists within lists.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::super::error::{SqlState, error};
use super::Written;
use super::column::Column;
use super::quoted::put_element;
use super::types::type_of;

/// Where the elements of a row's list are.
type Places = Box<dyn Fn(usize) -> Range<usize> + Send>;

/// A column of lists.
pub(super) struct List {
    places: Places,
    elements: Box<Column>,
    is_binary: bool,
    /// The number of the type of what is in no list any more.
    innermost: u32,
}

impl List {
    /// `array` has lists of any kind.
    pub(super) fn new(array: &ArrayRef, written: Written) -> PgWireResult<Self> {
        let (elements, places) = parts(array);
        let mut innermost = elements.data_type();
        while let Some(element) = element(innermost) {
            innermost = element;
        }
        let innermost = type_of(innermost).oid();
        let elements = Box::new(Column::new(&elements, written)?);
        Ok(Self { places, elements, is_binary: written.is_binary, innermost })
    }

    pub(super) fn put(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        if self.is_binary { self.put_binary(row, out) } else { self.put_text(row, out) }
    }

    fn put_text(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        out.put_u8(b'{');
        let mut text = BytesMut::new();
        for (number, place) in (self.places)(row).enumerate() {
            if number > 0 {
                out.put_u8(b',');
            }
            if self.elements.is_null(place) {
                out.extend_from_slice(b"NULL");
            } else if let Some(list) = self.elements.as_list() {
                list.put_text(place, out)?;
            } else {
                text.clear();
                self.elements.put(place, &mut text)?;
                put_element(&text, out);
            }
        }
        out.put_u8(b'}');
        Ok(())
    }

    /// The number of dimensions, whether there are nulls, the type, the length and the first index of each dimension,
    /// and the elements.
    fn put_binary(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        let mut lengths = self.lengths(row)?;
        if lengths.contains(&0) {
            lengths.clear();
        }
        let number = |of: usize| i32::try_from(of).map_err(|_| uneven());
        out.put_i32(number(lengths.len())?);
        out.put_i32(i32::from(self.has_nulls(row)));
        out.put_u32(self.innermost);
        for length in &lengths {
            out.put_i32(number(*length)?);
            out.put_i32(1);
        }
        if lengths.is_empty() { Ok(()) } else { self.put_elements(row, out) }
    }

    fn put_elements(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        (self.places)(row).try_for_each(|place| match self.elements.as_list() {
            Some(list) => list.put_elements(place, out),
            None => self.elements.put_counted(place, out),
        })
    }

    /// The length of each dimension. All lists of a dimension must have the same.
    fn lengths(&self, row: usize) -> PgWireResult<Vec<usize>> {
        let places = (self.places)(row);
        let mut lengths = vec![places.len()];
        let Some(lists) = self.elements.as_list() else { return Ok(lengths) };
        let mut within: Option<Vec<usize>> = None;
        for place in places {
            let these = if self.elements.is_null(place) { return Err(uneven()) } else { lists.lengths(place)? };
            if within.as_ref().is_some_and(|before| *before != these) {
                return Err(uneven());
            }
            within = Some(these);
        }
        lengths.extend(within.unwrap_or_default());
        Ok(lengths)
    }

    fn has_nulls(&self, row: usize) -> bool {
        (self.places)(row).any(|place| match self.elements.as_list() {
            Some(list) => list.has_nulls(place),
            None => self.elements.is_null(place),
        })
    }
}

fn uneven() -> PgWireError {
    error(
        SqlState::Value,
        "lists of different lengths in one list are no array of PostgreSQL; as text they can be read",
    )
}

fn element(of: &DataType) -> Option<&DataType> {
    match of {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Some(element.data_type()),
        _ => None,
    }
}

/// The elements of all lists of an array, and where each list has its own.
fn parts(array: &ArrayRef) -> (ArrayRef, Places) {
    match array.data_type() {
        DataType::LargeList(_) => of_offsets::<i64>(array),
        DataType::ListView(_) => of_view::<i32>(array),
        DataType::LargeListView(_) => of_view::<i64>(array),
        DataType::FixedSizeList(_, length) => {
            let (list, length) = (array.as_fixed_size_list(), usize::try_from(*length).unwrap_or_default());
            let start = usize::try_from(list.value_offset(0)).unwrap_or_default();
            (list.values().clone(), Box::new(move |row| start + row * length..start + (row + 1) * length))
        }
        _ => of_offsets::<i32>(array),
    }
}

fn of_offsets<O: OffsetSizeTrait>(array: &ArrayRef) -> (ArrayRef, Places) {
    let list = array.as_list::<O>();
    let offsets = list.offsets().clone();
    let at = move |place: usize| offsets.get(place).map_or(0, |offset| offset.as_usize());
    (list.values().clone(), Box::new(move |row| at(row)..at(row + 1)))
}

fn of_view<O: OffsetSizeTrait>(array: &ArrayRef) -> (ArrayRef, Places) {
    let list = array.as_list_view::<O>();
    let (offsets, sizes) = (list.offsets().clone(), list.sizes().clone());
    let places = move |row: usize| {
        let start = offsets.get(row).map_or(0, |offset| offset.as_usize());
        start..start + sizes.get(row).map_or(0, |size| size.as_usize())
    };
    (list.values().clone(), Box::new(places))
}
