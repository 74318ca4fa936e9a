//! The customer mappings, the picker and the fields (ux.md 3.3-3.5), as frames and as keys.

use super::rig::Start;
use super::screens::in_all_sizes;

#[test]
fn customers() {
    in_all_sizes("customers", Start::default, "2");
}

#[test]
fn picker() {
    in_all_sizes("picker", Start::default, "2 j j j j j j m j u r");
}

#[test]
fn fields() {
    in_all_sizes("fields", Start::default, "3 j j");
}

#[test]
fn customers_zoomed() {
    Start::default().sized(120, 36).rig().keys("2 z").shows("customers-zoomed@120x36");
}

#[test]
fn an_empty_table_says_why_and_what_to_do() {
    let unread = || Start::default().with(|world| world.market.read_at = None);
    unread().rig().keys("2").says("Read 16 ALSO customers and 1,208 Halo customers.");
    let mut rig = Start::default().rig();
    rig.keys("2 / z z z").says("Nothing matches. Esc shows all.").shows("customers-filter@80x24");
    rig.keys("<Esc>").says("Blue Yonder Foods");
    Start::default().rig().keys("2 ]").says("Westcoast Cloud is not set up. Go to Integrations (1) first.");
}
