//! The structs of Parquet's metadata, with the fields that its library reads.

use super::thrift::{Kind, Name, Shape};

const fn other(fields: &'static [(i16, Kind)]) -> Shape {
    Shape { name: Name::Other, fields }
}

static EMPTY: Shape = other(&[]);
static INT: Kind = Kind::Int;

pub(super) static FILE: Shape = Shape {
    name: Name::File,
    fields: &[
        (field::file::VERSION, Kind::Int),
        (field::file::SCHEMA, Kind::List(&Kind::Struct(&SCHEMA_ELEMENT))),
        (3, Kind::Int),
        (field::file::ROW_GROUPS, Kind::List(&Kind::Struct(&ROW_GROUP))),
        (5, Kind::List(&Kind::Struct(&KEY_VALUE))),
        (6, Kind::Binary),
        (7, Kind::List(&Kind::Struct(&COLUMN_ORDER))),
    ],
};

/// The numbers of the fields that are looked at.
pub(in crate::reader::parquet) mod field {
    pub(in crate::reader::parquet) mod file {
        pub(in crate::reader::parquet) const VERSION: i16 = 1;
        pub(in crate::reader::parquet) const SCHEMA: i16 = 2;
        pub(in crate::reader::parquet) const ROW_GROUPS: i16 = 4;
    }
    pub(in crate::reader::parquet) mod element {
        pub(in crate::reader::parquet) const NAME: i16 = 4;
        pub(in crate::reader::parquet) const CHILDREN: i16 = 5;
    }
    pub(in crate::reader::parquet) mod key_value {
        pub(in crate::reader::parquet) const KEY: i16 = 1;
        pub(in crate::reader::parquet) const VALUE: i16 = 2;
    }
    pub(in crate::reader::parquet) mod page {
        pub(in crate::reader::parquet) const KIND: i16 = 1;
        pub(in crate::reader::parquet) const UNFOLDED: i16 = 2;
        pub(in crate::reader::parquet) const LENGTH: i16 = 3;
    }
    pub(in crate::reader::parquet) mod data_page {
        pub(in crate::reader::parquet) const VALUES: i16 = 1;
        pub(in crate::reader::parquet) const ENCODING: i16 = 2;
    }
    pub(in crate::reader::parquet) mod data_page_v2 {
        pub(in crate::reader::parquet) const VALUES: i16 = 1;
        pub(in crate::reader::parquet) const ENCODING: i16 = 4;
        pub(in crate::reader::parquet) const DEFINITIONS: i16 = 5;
        pub(in crate::reader::parquet) const REPETITIONS: i16 = 6;
        pub(in crate::reader::parquet) const IS_COMPRESSED: i16 = 7;
    }
}

static SCHEMA_ELEMENT: Shape = Shape {
    name: Name::SchemaElement,
    fields: &[
        (1, Kind::Int),
        (2, Kind::Int),
        (3, Kind::Int),
        (field::element::NAME, Kind::Binary),
        (field::element::CHILDREN, Kind::Int),
        (6, Kind::Int),
        (7, Kind::Int),
        (8, Kind::Int),
        (9, Kind::Int),
        (10, Kind::Struct(&LOGICAL_TYPE)),
    ],
};

static LOGICAL_TYPE: Shape = other(&[
    (1, Kind::Struct(&EMPTY)),
    (2, Kind::Struct(&EMPTY)),
    (3, Kind::Struct(&EMPTY)),
    (4, Kind::Struct(&EMPTY)),
    (5, Kind::Struct(&DECIMAL)),
    (6, Kind::Struct(&EMPTY)),
    (7, Kind::Struct(&TIME)),
    (8, Kind::Struct(&TIME)),
    (10, Kind::Struct(&INTEGER)),
    (11, Kind::Struct(&EMPTY)),
    (12, Kind::Struct(&EMPTY)),
    (13, Kind::Struct(&EMPTY)),
    (14, Kind::Struct(&EMPTY)),
    (15, Kind::Struct(&EMPTY)),
    (16, Kind::Struct(&VARIANT)),
    (17, Kind::Struct(&GEOGRAPHY)),
    (18, Kind::Struct(&GEOGRAPHY)),
]);

static DECIMAL: Shape = other(&[(1, Kind::Int), (2, Kind::Int)]);
static TIME: Shape = other(&[(1, Kind::Bool), (2, Kind::Struct(&UNIT))]);
static UNIT: Shape = other(&[(1, Kind::Struct(&EMPTY)), (2, Kind::Struct(&EMPTY)), (3, Kind::Struct(&EMPTY))]);
static INTEGER: Shape = other(&[(1, Kind::Byte), (2, Kind::Bool)]);
static VARIANT: Shape = other(&[(1, Kind::Byte)]);
static GEOGRAPHY: Shape = other(&[(1, Kind::Binary), (2, Kind::Int)]);

static ROW_GROUP: Shape = Shape {
    name: Name::RowGroup,
    fields: &[
        (1, Kind::List(&Kind::Struct(&COLUMN_CHUNK))),
        (2, Kind::Int),
        (3, Kind::Int),
        (4, Kind::List(&Kind::Struct(&SORTING))),
        (5, Kind::Int),
        (7, Kind::Int),
    ],
};

static SORTING: Shape = other(&[(1, Kind::Int), (2, Kind::Bool), (3, Kind::Bool)]);

static COLUMN_CHUNK: Shape = Shape {
    name: Name::ColumnChunk,
    fields: &[
        (1, Kind::Binary),
        (2, Kind::Int),
        (3, Kind::Struct(&COLUMN)),
        (4, Kind::Int),
        (5, Kind::Int),
        (6, Kind::Int),
        (7, Kind::Int),
    ],
};

static COLUMN: Shape = other(&[
    (1, Kind::Int),
    (2, Kind::List(&INT)),
    (4, Kind::Int),
    (5, Kind::Int),
    (6, Kind::Int),
    (7, Kind::Int),
    (9, Kind::Int),
    (10, Kind::Int),
    (11, Kind::Int),
    (12, Kind::Struct(&STATISTICS)),
    (13, Kind::List(&Kind::Struct(&PAGE_ENCODING))),
    (14, Kind::Int),
    (15, Kind::Int),
    (16, Kind::Struct(&SIZES)),
    (17, Kind::Struct(&PLACES)),
]);

static STATISTICS: Shape = other(&[
    (1, Kind::Binary),
    (2, Kind::Binary),
    (3, Kind::Int),
    (4, Kind::Int),
    (5, Kind::Binary),
    (6, Kind::Binary),
    (7, Kind::Bool),
    (8, Kind::Bool),
]);

static PAGE_ENCODING: Shape = other(&[(1, Kind::Int), (2, Kind::Int), (3, Kind::Int)]);
static SIZES: Shape = other(&[(1, Kind::Int), (2, Kind::List(&INT)), (3, Kind::List(&INT))]);
static PLACES: Shape = other(&[(1, Kind::Struct(&BOX)), (2, Kind::List(&INT))]);
static BOX: Shape = other(&[
    (1, Kind::Double),
    (2, Kind::Double),
    (3, Kind::Double),
    (4, Kind::Double),
    (5, Kind::Double),
    (6, Kind::Double),
    (7, Kind::Double),
    (8, Kind::Double),
]);

static KEY_VALUE: Shape = Shape {
    name: Name::KeyValue,
    fields: &[(field::key_value::KEY, Kind::Binary), (field::key_value::VALUE, Kind::Binary)],
};

static COLUMN_ORDER: Shape = other(&[(1, Kind::Struct(&EMPTY)), (2, Kind::Struct(&EMPTY))]);

pub(super) static PAGE: Shape = Shape {
    name: Name::Page,
    fields: &[
        (field::page::KIND, Kind::Int),
        (field::page::UNFOLDED, Kind::Int),
        (field::page::LENGTH, Kind::Int),
        (4, Kind::Int),
        (5, Kind::Struct(&DATA_PAGE)),
        (6, Kind::Struct(&EMPTY)),
        (7, Kind::Struct(&DICTIONARY_PAGE)),
        (8, Kind::Struct(&DATA_PAGE_V2)),
    ],
};

static DATA_PAGE: Shape = Shape {
    name: Name::DataPage,
    fields: &[
        (field::data_page::VALUES, Kind::Int),
        (field::data_page::ENCODING, Kind::Int),
        (3, Kind::Int),
        (4, Kind::Int),
    ],
};

static DICTIONARY_PAGE: Shape = Shape {
    name: Name::DictionaryPage,
    fields: &[(field::data_page::VALUES, Kind::Int), (field::data_page::ENCODING, Kind::Int), (3, Kind::Bool)],
};

static DATA_PAGE_V2: Shape = Shape {
    name: Name::DataPageV2,
    fields: &[
        (field::data_page_v2::VALUES, Kind::Int),
        (2, Kind::Int),
        (3, Kind::Int),
        (field::data_page_v2::ENCODING, Kind::Int),
        (field::data_page_v2::DEFINITIONS, Kind::Int),
        (field::data_page_v2::REPETITIONS, Kind::Int),
        (field::data_page_v2::IS_COMPRESSED, Kind::Bool),
    ],
};
