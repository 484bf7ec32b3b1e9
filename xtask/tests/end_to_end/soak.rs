//! The soak's rows in their small sizes, side by side: what many clients, small limits or much data may break.

#[test]
fn every_row_of_the_soak_holds_in_its_small_size() {
    let failures = xtask::tasks::soak::failures_in_small();
    assert!(failures.is_empty(), "{failures:#?}");
}
