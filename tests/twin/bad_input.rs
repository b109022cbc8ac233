//! Files that a flood2d or library run must not swallow: coordinate systems, fields with holes, grids that somebody's editor touched.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CASE: &str = "[grid]\ndem = \"dem.asc\"\nmanning = \"n.asc\"\n[initial]\ndepth = \"h0.asc\"\n[run]\nend_s = 10.0\noutput_every_s = 10.0\nthreads = 1\n";
const ESRI: &str = r#"PROJCS["CGCS2000_3_Degree_GK_CM_111E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["Central_Meridian",111.0],UNIT["Meter",1.0]]"#;

/// Six columns, four rows of 10 m; `of` gets column and row from the north, counted from 0.
fn raster(of: impl Fn(usize, usize) -> f64) -> String {
    let row = |row| (0..6).map(|column| of(column, row).to_string()).collect::<Vec<_>>().join(" ");
    let rows: Vec<String> = (0..4).map(row).collect();
    let head = "ncols 6\nnrows 4\nxllcorner 500000\nyllcorner 3800000\ncellsize 10\nNODATA_value -9999\n";
    format!("{head}{}\n", rows.join("\n"))
}

fn write_case(dir: &Path) {
    fs::write(dir.join("case.toml"), CASE).unwrap();
    fs::write(dir.join("dem.asc"), raster(|_, _| 1.0)).unwrap();
    fs::write(dir.join("n.asc"), raster(|_, _| 0.03)).unwrap();
    fs::write(dir.join("h0.asc"), raster(|_, _| 0.5)).unwrap();
}

fn flood2d(dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    command.args(["twin", "flood2d"]).arg(dir.join("case.toml")).arg("--out").arg(dir.join("out")).args(more);
    command.output().unwrap()
}

/// Runs a case of which some files are others.
fn with(files: &[(&str, &str)]) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path());
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let output = flood2d(dir.path(), &[]);
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

fn refused(files: &[(&str, &str)], expected: &[&str]) {
    let (taken, said) = with(files);
    assert!(!taken && expected.iter().all(|words| said.contains(words)), "{expected:?}: {said}");
}

#[test]
fn twin_flood2d_reads_the_prj_beside_a_grid() {
    assert_eq!(with(&[("dem.prj", ESRI)]), (true, String::new()));
    let geographic = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
    refused(&[("dem.prj", geographic)], &["dem.prj: 坐标系“GCS_WGS_1984”是地理坐标，以度为单位", "is in degrees"]);
    refused(&[("n.PRJ", geographic)], &["n.PRJ: ", "is in degrees"]);
    let feet = ESRI.replace(r#"UNIT["Meter",1.0]"#, r#"UNIT["Foot_US",0.304800609601219]"#);
    refused(&[("h0.prj", &feet)], &["h0.prj: 平面坐标的单位是 “Foot_US”", "0.304800609601219 m, not the metre"]);
    let web = ESRI.replace("Gauss_Kruger", "Mercator_Auxiliary_Sphere");
    refused(&[("dem.prj", &web)], &["dem.prj: ", "is a Mercator map"]);
    refused(&[("dem.prj", "")], &["dem.prj: 不是坐标系说明"]);
    // Two systems in one case: between terrain and another raster, and between two others.
    let other = ESRI.replace("111.0", "114.0");
    let mixed = "does not match";
    refused(&[("dem.prj", ESRI), ("n.prj", &other)], &["n.prj", mixed, "dem.prj", "central meridian 114 against 111"]);
    refused(&[("n.prj", ESRI), ("h0.prj", &other)], &["h0.prj", mixed, "n.prj", "坐标系中央子午线 114 与 111"]);
    // Heights above another datum than the case names.
    let heights = format!(r#"{ESRI},VERTCS["Yellow_Sea_1985",VDATUM["Yellow_Sea_1985"],UNIT["Meter",1.0]]"#);
    let dagu = CASE.replace("[initial]", "datum = \"dagu\"\n[initial]");
    refused(&[("dem.prj", &heights), ("case.toml", &dagu)], &["高程基准不一致", "dem.prj", "above 'national85'"]);
}

#[test]
fn twin_flood2d_writes_the_prj_of_the_terrain_into_geotiff() {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path());
    fs::write(dir.path().join("dem.prj"), ESRI).unwrap();
    assert!(flood2d(dir.path(), &["--geotiff"]).status.success());
    let bytes = fs::read(dir.path().join("out/max_depth.tif")).unwrap();
    let name = b"CGCS2000_3_Degree_GK_CM_111E|";
    assert!(bytes.windows(name.len()).any(|part| part == name));
}

#[test]
fn twin_flood2d_names_the_raster_the_cell_and_its_value() {
    let at =
        |column, row, value: f64, usual: f64| raster(move |x, y| if (x, y) == (column, row) { value } else { usual });
    refused(
        &[("n.asc", &at(3, 1, -0.02, 0.03))],
        &["n.asc: 算例不能计算", "北起第 2 行第 4 列（x 500035.00，y 3800025.00）糙率为 -0.0", "Manning is -0.0"],
    );
    refused(&[("n.asc", &at(0, 0, -9999.0, 0.03))], &["n.asc: ", "有地面而糙率缺测", "Manning has no value at row 1"]);
    refused(
        &[("h0.asc", &at(5, 3, -0.5, 0.5))],
        &["h0.asc: ", "depth is -0.5 at row 4 from the north, column 6 (x 500055"],
    );
    refused(
        &[("dem.asc", &at(2, 0, 9_500.0, 1.0))],
        &["dem.asc: the height 9500 m at row 1 from the north, column 3 (x"],
    );
    refused(&[("dem.asc", &raster(|_, _| -9999.0))], &["dem.asc: ", "地形中没有任何高程"]);
    let fast = CASE.replace("[run]", "u = \"u.asc\"\n[run]");
    refused(
        &[("case.toml", &fast), ("u.asc", &at(1, 1, 150.0, 0.0))],
        &["u.asc: ", "东向流速为 150", "velocity u is 150"],
    );
    // A depth that an earlier run wrote has its holes where the terrain has them.
    let hole = at(4, 2, -9999.0, 1.0);
    assert!(with(&[("dem.asc", &hole), ("h0.asc", &hole), ("n.asc", &at(4, 2, -9999.0, 0.03))]).0);
}

#[test]
fn twin_flood2d_refuses_what_the_case_and_its_grids_do_not_agree_on() {
    let case = |from: &str, to: &str| CASE.replace(from, to);
    let stage = |stage_m: &str| case("depth = \"h0.asc\"", &format!("stage_m = {stage_m}"));
    refused(&[("case.toml", &stage("950.0"))], &["stage_m = 950 does not fit ground of 1 to 1 m"]);
    refused(&[("case.toml", &stage("0.5"))], &["与地面 1 至 1 m 不合", "for no water, dry = true"]);
    assert!(with(&[("case.toml", &stage("1.5"))]).0);
    refused(&[("case.toml", &case("depth = \"h0.asc\"", "dry = true\nu = \"h0.asc\""))], &["无水而有流速"]);
    let hole = raster(|column, _| if column == 0 { -9999.0 } else { 1.0 });
    let gauge = format!("{CASE}[[gauge]]\nname = \"P1\"\nat = [500005.0, 3800015.0]\n");
    refused(
        &[("dem.asc", &hole), ("case.toml", &gauge)],
        &["水尺“P1”落在空洞上，北起第 3 行第 1 列", "lies on a hole"],
    );
    let west = format!("{CASE}[[boundary]]\nside = \"west\"\nkind = \"free\"\n");
    refused(&[("dem.asc", &hole), ("case.toml", &west)], &["case.toml: 算例不能计算", "west 边全是空洞"]);
    let half = raster(|_, _| 0.5).replace("xllcorner 500000", "xllcorner 500005");
    refused(&[("h0.asc", &half)], &["h0.asc 与 ", "西南角", "corner 500005, 3800000 against 500000, 3800000"]);
    let shifted = raster(|_, _| 0.5).replacen("0.5 0.5\n", "0.5\n0.5 ", 1);
    refused(&[("h0.asc", &shifted)], &["h0.asc has 24 values", "line 7 has 5"]);
    assert!(with(&[("h0.asc", &format!("\u{feff}{}", raster(|_, _| 0.5).replace('\n', "\r\n")))]).0);
    refused(&[("h0.asc", "")], &["h0.asc: 空文件"]);
    refused(&[("h0.asc", &raster(|_, _| 0.5).replace("0.5", "0,5"))], &["h0.asc:7: '0,5' in column 1", "小数点用“.”"]);
    refused(&[("case.toml", "")], &["case.toml", "missing field `grid`"]);
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path());
    let said = String::from_utf8(flood2d(dir.path(), &["--threads", "100000"]).stderr).unwrap();
    assert!(said.contains("--threads 100000 多于 1024"), "{said}");
}

const TWIN: &str = r#"
synthetic = true
[plane]
origin_lon = 113.6
origin_lat = 34.9
m_per_degree_lon = 91399
m_per_degree_lat = 110941
[terrain]
height = "terrain.asc"
cover = "cover.asc"
datum = "dagu"
[[cover]]
code = 1
manning = 0.03
name_zh = "滩"
name_en = "floodplain"
[[cover]]
code = 4
manning = 0.06
name_zh = "堤背"
name_en = "land"
land_side = true
[flow]
inflow_line = [[50.0, 250.0], [50.0, 750.0]]
outflow_side = "east"
outflow_slope = 0.0002
gauge = "huayuankou"
gauge_at = [650.0, 450.0]
[library]
cell_m = 100.0
base_m3s = 100.0
spin_up_h = 1.5
rise_h = 0.1
discharges_m3s = [100, 200]
hours = [0, 0.2]
breach_discharges_m3s = []
finest_cell_m = 100.0
[[edge]]
kind = "levee"
crest_m = 99.0
line = [[0.0, 200.0], [1200.0, 200.0]]
"#;

#[test]
fn twin_library_is_quiet_where_nobody_looks_and_says_what_it_made() {
    let dir = tempfile::tempdir().unwrap();
    let twin = dir.path().join("twin");
    fs::create_dir(&twin).unwrap();
    let raster = |of: &dyn Fn(usize, usize) -> f64| {
        let row = |row| (0..12).map(|column| of(column, row).to_string()).collect::<Vec<_>>().join(" ") + "\n";
        let rows: String = (0..8).map(row).collect();
        format!("ncols 12\nnrows 8\nxllcorner 0\nyllcorner 0\ncellsize 100\n{rows}")
    };
    fs::write(twin.join("terrain.asc"), raster(&|column, _| 90.0 - 0.02 * column as f64)).unwrap();
    fs::write(twin.join("cover.asc"), raster(&|_, row| if row < 6 { 1.0 } else { 4.0 })).unwrap();
    fs::write(twin.join("twin.toml"), TWIN).unwrap();
    let out = dir.path().join("out");
    let run = |out: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        command.args(["twin", "library", "--reach"]).arg(dir.path()).arg("--out").arg(out).args(more);
        command.output().unwrap()
    };
    let output = run(&out, &["--threads", "1"]);
    let (said, told) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success() && said.is_empty(), "{said}");
    assert!(told.contains("2 个情景") && told.contains("2 members on 12 x 8 cells of 100 m"), "{told}");
    let library: serde_json::Value = serde_json::from_slice(&fs::read(out.join("library.json")).unwrap()).unwrap();
    assert_eq!(library["members"].as_array().unwrap().len(), 2);
    // A folder that cannot be made is said before the computing begins.
    let output = run(&twin.join("twin.toml/out"), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("不可写 (cannot write"), "{said}");
}

#[test]
fn twin_flood2d_auto_looks_at_the_slope_of_the_ground() {
    let chosen = |slope: f64| {
        let dir = tempfile::tempdir().unwrap();
        let row = |_| (0..48).map(|column| (100.0 + f64::from(column) * 10.0 * slope).to_string()).collect::<Vec<_>>();
        let rows: Vec<String> = (0..48).map(row).map(|row| row.join(" ")).collect();
        let head = "ncols 48\nnrows 48\nxllcorner 0\nyllcorner 0\ncellsize 10\nNODATA_value -9999\n";
        fs::write(dir.path().join("dem.asc"), format!("{head}{}\n", rows.join("\n"))).unwrap();
        let case = "[grid]\ndem = \"dem.asc\"\nmanning = 0.03\n[run]\nend_s = 5.0\noutput_every_s = 5.0\nscheme = \"auto\"\nthreads = 1\n";
        fs::write(dir.path().join("case.toml"), case).unwrap();
        let output = flood2d(dir.path(), &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let run: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(dir.path().join("out/run.json")).unwrap()).unwrap();
        (run["scheme"].as_str().unwrap().to_owned(), run["scheme_reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(chosen(0.0002).0, "local-inertia");
    let (scheme, why) = chosen(0.02);
    assert!(scheme == "full2" && why.contains("steep"), "{scheme}: {why}");
}

#[test]
fn twin_flood2d_never_writes_over_what_it_reads() {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path());
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    let check = |name: &str, from: &str, case: String| {
        fs::copy(dir.path().join(from), out.join(name)).unwrap();
        fs::write(dir.path().join("case.toml"), case).unwrap();
        let before = fs::read(out.join(name)).unwrap();
        let output = flood2d(dir.path(), &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(name) && said.contains("请换 --out"), "{said}");
        assert_eq!(fs::read(out.join(name)).unwrap(), before, "{name}");
        fs::remove_file(out.join(name)).unwrap();
    };
    check("max_depth.asc", "dem.asc", CASE.replace("dem.asc", "out/max_depth.asc"));
    check("depth_10.asc", "h0.asc", CASE.replace("h0.asc", "out/depth_10.asc"));
    fs::write(dir.path().join("q.csv"), "time_s,discharge_m3s\n0,1\n100,1\n").unwrap();
    let inflow = "[[inflow]]\nline = [[500005.0, 3800005.0]]\nseries = \"out/gauges.csv\"\n";
    check("gauges.csv", "q.csv", format!("{CASE}{inflow}"));
    // Depths of another moment may lie there: a run begins with what an older one left.
    fs::copy(dir.path().join("h0.asc"), out.join("depth_7.asc")).unwrap();
    fs::write(dir.path().join("case.toml"), CASE.replace("h0.asc", "out/depth_7.asc")).unwrap();
    assert!(flood2d(dir.path(), &[]).status.success() && out.join("depth_7.asc").exists());
}
