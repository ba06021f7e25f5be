//! Files of other writers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use skillscope_segment::column;
use tempfile::TempDir;

use super::world::{Asked, rows, write};

/// The rows with columns in another order and of other types, and one more.
fn foreign(rows: &RecordBatch, type_of: impl Fn(&str, &DataType) -> DataType) -> RecordBatch {
    let schema = rows.schema();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, values) in schema.fields().iter().zip(rows.columns()).rev() {
        let data_type = type_of(field.name(), field.data_type());
        fields.push(Field::new(field.name(), data_type.clone(), true));
        columns.push(cast(values, &data_type).unwrap());
    }
    fields.push(Field::new("shard", DataType::Int32, true));
    columns.push(Arc::new(Int32Array::from(vec![7; rows.num_rows()])));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn without(rows: &RecordBatch, name: &str) -> RecordBatch {
    let kept: Vec<usize> = (0..rows.num_columns()).filter(|place| rows.schema().field(*place).name() != name).collect();
    rows.project(&kept).unwrap()
}

fn of_account(rows: &RecordBatch, account: &str) -> RecordBatch {
    let accounts = cast(rows.column_by_name(column::ACCOUNT_ID).unwrap(), &DataType::Utf8).unwrap();
    let wanted = arrow::array::StringArray::new_scalar(account);
    filter_record_batch(rows, &arrow::compute::kernels::cmp::eq(&accounts, &wanted).unwrap()).unwrap()
}

#[tokio::test]
async fn columns_may_have_other_types_and_places() {
    let rows = rows(1_500, 5);
    let time = |unit, zone: Option<&'static str>| DataType::Timestamp(unit, zone.map(Into::into));
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8));
    let text = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary(), DataType::Utf8, DataType::Utf8];
    let times = [
        time(TimeUnit::Microsecond, Some("UTC")),
        time(TimeUnit::Nanosecond, None),
        time(TimeUnit::Millisecond, None),
        time(TimeUnit::Microsecond, Some("+02:00")),
        time(TimeUnit::Second, None),
        DataType::Int64,
    ];
    let numbers =
        [DataType::Int32, DataType::Int64, DataType::Int32, DataType::UInt32, DataType::UInt64, DataType::Int64];
    for ((text, times), numbers) in text.into_iter().zip(times).zip(numbers) {
        // Whole seconds lose what is below them: what is expected has lost it, too.
        let seconds = |name: &str, own: &DataType| match own {
            DataType::Timestamp(..) if name == column::END_TIME => times.clone(),
            _ => own.clone(),
        };
        let lossy = foreign(&rows, seconds);
        let ends = cast(lossy.column_by_name(column::END_TIME).unwrap(), &time(TimeUnit::Millisecond, Some("UTC")));
        let mut columns = rows.columns().to_vec();
        columns[rows.schema().index_of(column::END_TIME).unwrap()] = ends.unwrap();
        if times == time(TimeUnit::Second, None) {
            // The store's rules compare times with one another.
            let starts = rows.schema().index_of(column::START_TIME).unwrap();
            columns[starts] = Arc::clone(&columns[starts]);
        }
        let expected = RecordBatch::try_new(rows.schema(), columns).unwrap();

        let file = foreign(&rows, |name, own| match own {
            DataType::Timestamp(..) => times.clone(),
            DataType::Int64 => numbers.clone(),
            DataType::Utf8 | DataType::Dictionary(..) => text.clone(),
            _ if name == column::AGENT_MESSAGES => DataType::Int64,
            own => own.clone(),
        });
        let folder = TempDir::new().unwrap();
        write(&folder.path().join("a.parquet"), &file, 300);
        for asked in [Asked::plain().with("userType", "bot"), Asked { account: None, ..Asked::plain() }] {
            assert_eq!(asked.replayed(folder.path()).await.unwrap(), asked.answers(&expected).await, "{times} {text}");
        }
    }
}

#[tokio::test]
async fn folders_may_be_partitioned_in_any_way() {
    let rows = rows(1_500, 6);
    let (one, two) = (of_account(&rows, "account-1"), of_account(&rows, "account-2"));
    let flat = TempDir::new().unwrap();
    write(&flat.path().join("all in one [file].parquet"), &rows, 10_000);
    let by_account = TempDir::new().unwrap();
    write(&by_account.path().join("account_id=account-1/a=b/1.parquet"), &without(&one, column::ACCOUNT_ID), 10_000);
    write(&by_account.path().join("account_id=account%2D2/2.parquet"), &without(&two, column::ACCOUNT_ID), 10_000);
    let hive = TempDir::new().unwrap();
    write(&hive.path().join("account=account-1/date=2018-01-18/08-0.parquet"), &one, 10_000);
    write(&hive.path().join("account=account-2/date=2018-01-18/08-0.parquet"), &two, 10_000);
    // What others leave beside their files is not of the table.
    std::fs::write(hive.path().join("_SUCCESS"), "").unwrap();
    write(&hive.path().join("_temporary/0/half.parquet"), &two, 10_000);
    write(&hive.path().join("account=account-1/.hidden.parquet"), &two, 10_000);
    let mixed = TempDir::new().unwrap();
    write(&mixed.path().join("account_id=account-1/1.parquet"), &without(&one, column::ACCOUNT_ID), 10_000);
    write(&mixed.path().join("2.parquet"), &two, 10_000);
    let escaped = TempDir::new().unwrap();
    write(&escaped.path().join("account_id=R&D/1.parquet"), &without(&one, column::ACCOUNT_ID), 10_000);
    let archive = crate::Archive::open(crate::Location::Folder(escaped.path().to_owned()), false).await;
    let accounts = archive.unwrap().accounts(&crate::PlanRunner::local().unwrap()).await.unwrap();
    assert_eq!(accounts, ["R&D"]);
    for asked in [
        Asked::plain(),
        Asked { account: Some("account-2"), ..Asked::plain() },
        Asked { account: None, ..Asked::plain() },
    ] {
        let answers = asked.answers(&rows).await;
        for folder in [&flat, &by_account, &hive, &mixed] {
            assert_eq!(asked.replayed(folder.path()).await.unwrap(), answers);
        }
    }
    let file = write(&flat.path().join("all in one [file].parquet"), &rows, 10_000);
    assert_eq!(Asked::plain().replayed(&file).await.unwrap(), Asked::plain().answers(&rows).await);
}
