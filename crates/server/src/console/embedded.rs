//! How files become a part of the program.

/// Makes `PAGE` of the first file in the folder `files`, and `ASSETS` of all others.
macro_rules! embedded {
    ($page:literal $($asset:literal)+) => {
        pub(super) static PAGE: ConsoleFile = embedded!(@file $page);
        pub(super) static ASSETS: [ConsoleFile; [$($asset),+].len()] = [$(embedded!(@file $asset)),+];
    };
    (@file $name:literal) => {
        ConsoleFile::new($name, include_bytes!(concat!("files/", $name, ".gz")))
    };
}

pub(super) use embedded;
