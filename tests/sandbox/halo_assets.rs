use parhelion::sandbox::Quirks;
use serde_json::{Value, json};

use super::{Rig, ids};

async fn one(rig: &Rig, path: &str) -> Value {
    rig.get(path).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn an_asset_belongs_to_the_customer_of_its_site() {
    let rig = Rig::empty().await;
    let (a, b) =
        (rig.save("Client", &json!({"name": "A"})).await, rig.save("Client", &json!({"name": "B"})).await);
    let asset = rig.save("Asset", &json!({"client_id": a["id"], "assettype_id": "130"})).await;
    assert_eq!((&asset["client_id"], &asset["site_id"]), (&a["id"], &a["main_site_id"]));
    let moved = rig.save("Asset", &json!({"id": asset["id"], "site_id": b["main_site_id"]})).await;
    assert_eq!((&moved["client_id"], &moved["client_name"]), (&b["id"], &json!("B")));
    for wrong in [json!({"client_id": a["id"]}), json!({"client_id": a["id"], "assettype_id": 99})] {
        let refused = rig.post("Asset", &json!([wrong])).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn fields_left_out_of_a_write_are_blanked_unless_switched_off() {
    let rig = Rig::empty().await;
    let client = rig.save("Client", &json!({"name": "A"})).await;
    let fields = json!([{"id": 101, "value": "PC-1"}, {"id": 117, "value": "S1"}, {"id": 125, "value": "no such field here"}]);
    let asset =
        rig.save("Asset", &json!({"client_id": client["id"], "assettype_id": 130, "fields": fields})).await;
    assert_eq!((&asset["key_field"], &asset["key_field3"]), (&json!("PC-1"), &json!("S1")));
    let path = format!("Asset/{}?includedetails=true", asset["id"]);
    let value = |asset: &Value, field: i64| {
        let rows = asset["fields"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == field).map(|row| row["value"].clone())
    };
    assert_eq!(value(&one(&rig, &path).await, 125), None, "a field of another type is dropped");
    rig.save("Asset", &json!({"id": asset["id"], "fields": [{"id": 119, "value": "Windows 11"}]})).await;
    let now = one(&rig, &path).await;
    assert_eq!((value(&now, 101), value(&now, 119)), (Some(json!("")), Some(json!("Windows 11"))));
    let mut quirks = Quirks::default();
    quirks.halo.blank_missing_fields = false;
    rig.sandbox().set_quirks(quirks);
    rig.save("Asset", &json!({"id": asset["id"], "fields": [{"id": 101, "value": "PC-2"}]})).await;
    let now = one(&rig, &path).await;
    assert_eq!((value(&now, 101), value(&now, 119)), (Some(json!("PC-2")), Some(json!("Windows 11"))));
}

#[tokio::test]
async fn lists_are_capped_and_omit_the_liongard_id_and_without_a_type_the_fields() {
    let rig = Rig::empty().await;
    let client = rig.save("Client", &json!({"name": "A"})).await["id"].clone();
    for n in 0..60 {
        let asset = json!({"client_id": client, "assettype_id": 130 + n % 2, "liongardid": n % 3,
            "inventory_number": format!("T{n}"), "fields": [{"id": 117, "value": format!("S-{n}")}]});
        rig.sandbox().put_halo_asset(&asset).unwrap();
    }
    let page = rig.list("Asset?pageinate=true&page_size=1000&page_no=1&order=id").await;
    assert_eq!((page["assets"].as_array().unwrap().len(), &page["record_count"]), (50, &json!(60)));
    let row = &page["assets"][0];
    assert!(row.get("liongardid").is_none() && row.get("fields").is_none(), "{row}");
    let bare = rig.list("Asset?includeassetfields=true&count=5").await;
    assert!(bare["assets"][0].get("fields").is_none(), "fields need a type");
    let typed = rig.list("Asset?includeassetfields=true&assettype_id=131&count=100").await;
    assert_eq!(typed["assets"].as_array().unwrap().len(), 30);
    assert!(typed["assets"][0]["fields"].is_array());
    assert_eq!(ids(&rig.list("Asset?integration_type=liongard&count=100").await["assets"]).len(), 40);
    assert_eq!(ids(&rig.list("Asset?search=s-59").await["assets"]).len(), 1);
    assert_eq!(ids(&rig.list("Asset?inventory_number=T5").await["assets"]).len(), 1);
    assert_eq!(one(&rig, "Asset/641?includedetails=true").await["liongardid"], 1);
}

#[tokio::test]
async fn types_need_a_group_and_fields_a_kind() {
    let rig = Rig::empty().await;
    let refused = rig.get("Field/117").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), refused.text().await.unwrap().as_str()),
        (400, "\"Field kind must be specified\"")
    );
    let field = rig.save("Field", &json!({"kind": "T", "name": "Last Patch", "validate": "D"})).await;
    let refused = rig.post("AssetType", &json!([{"name": "Printer"}])).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let made = rig
        .save(
            "AssetType",
            &json!({"name": "Printer", "assetgroup_id": 3, "fields": [{"field_id": field["id"]}]}),
        )
        .await;
    assert_eq!(made["fields"][0]["field_id"], json!(field["id"].as_i64().unwrap() as f64));
    let client = rig.save("Client", &json!({"name": "A"})).await;
    for (value, status) in [("2026-02-30", 400), ("2026-02-28", 201), ("", 201)] {
        let asset = json!([{"client_id": client["id"], "assettype_id": made["id"],
            "fields": [{"id": field["id"], "value": value}]}]);
        assert_eq!(rig.post("Asset", &asset).send().await.unwrap().status(), status, "{value}");
    }
    let long = json!([{"client_id": client["id"], "assettype_id": 131, "fields": [{"id": 125, "value": "x".repeat(21)}]}]);
    let refused: Value = rig.post("Asset", &long).send().await.unwrap().json().await.unwrap();
    assert!(refused["Message"].as_str().unwrap().contains("Rack"));
}
