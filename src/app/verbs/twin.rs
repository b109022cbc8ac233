//! `anlan twin`: the hydraulic twin from the command line.
//!
//! In: a case file. Out: rasters, series and `run.json` in a folder; progress on standard error.

mod case_file;
mod crs;
mod downstream;
mod geotiff;
mod library;
mod prj;
mod profile;
mod progress;
pub(in crate::app) mod raster;
mod rating;
mod results;
mod route;
mod table;
mod verify;

use super::Outcome;
use crate::hydraulics::{Advance, Inundation, VectorWidth};
use case_file::CaseFile;
use clap::Subcommand;
use progress::Progress;
use results::{Folder, RunStory};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Arguments of the verb.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 二维淹没演进：读算例文件，写水深、最大水深、到达时间、危险度 (inundation on a grid from a case file).
    Flood2d(Flood2dArgs),
    /// 一维水面线：水位、超高、流速，恒定或随洪水 (stage, freeboard, velocity along a river).
    Profile(CaseArgs),
    /// 河道洪水演算：马斯京根、非线性、变参数，可率定 (a flood through a reach, parameters given or calibrated).
    Route(CaseArgs),
    /// 下游传播：洪峰何时到下游各站、还有多大，可按历史洪峰率定 (when a flood comes to the stations below, and how high).
    Downstream(downstream::Args),
    /// 水位流量关系：按年份与基面，绳套校正 (stage and discharge of a year, with the loop).
    Rating(rating::Args),
    /// 情景库：按 twin.toml 逐个流量与溃口计算 (the scenario library of a reach).
    Library(library::Args),
    /// 预报检验：历史洪水逐时回放，误差、带内率、命中漏报误报 (the forecast on floods of the past).
    Verify(verify::Args),
}

/// What every run of a case file is told.
#[derive(Debug, clap::Args)]
struct CaseArgs {
    /// Case file, TOML; paths in it are relative to it.
    case: PathBuf,
    /// Folder of the results; made if absent.
    #[arg(long)]
    out: PathBuf,
    /// Also prints run.json on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Flood2dArgs {
    #[command(flatten)]
    case: CaseArgs,
    /// Workers, in place of `[run] threads`.
    #[arg(long)]
    threads: Option<usize>,
    /// Writes DIR/checkpoint.bin at every output time; a later run with --resume goes on from it.
    #[arg(long)]
    checkpoint: bool,
    /// Goes on from DIR/checkpoint.bin.
    #[arg(long)]
    resume: bool,
    /// Rasters as GeoTIFF, with the projection of the terrain, in place of ESRI ASCII grids.
    #[arg(long)]
    geotiff: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.action {
        Action::Flood2d(args) => flood2d(&args),
        Action::Profile(args) => profile::run(&args),
        Action::Route(args) => route::run(&args),
        Action::Downstream(args) => downstream::run(&args),
        Action::Rating(args) => rating::run(&args),
        Action::Library(args) => library::run(&args),
        Action::Verify(args) => verify::run(&args),
    }
}

fn flood2d(args: &Flood2dArgs) -> Outcome {
    let file = CaseFile::read(&args.case.case)?;
    let folder = Folder::open(&args.case.out, &file, args.geotiff)?;
    let workers = workers(args.threads.or(file.threads))?;
    let (output_times, gauges) = (file.output_times(), file.gauges.clone());
    let story = RunStory::new(&file, workers, VectorWidth::of_this_machine().name());
    let end_s = file.case.end_s;
    let checkpoint = args.case.out.join("checkpoint.bin");
    let mut run = if args.resume {
        let bytes = std::fs::read(&checkpoint).map_err(|cause| results::ResultFault::read(&checkpoint, cause))?;
        Inundation::resume(file.case, workers, &bytes)?
    } else {
        Inundation::new(file.case, workers)?
    };
    let progress = Progress::new(run.time_s(), end_s);
    let stop = Interrupt::listen()?;
    let mut gauges = folder.gauges(&gauges, args.resume)?;
    for time_s in output_times {
        // A resumed run has written everything up to its time.
        if time_s < run.time_s() || (args.resume && time_s <= run.time_s()) {
            continue;
        }
        let advance =
            run.advance(time_s, &|now_s| progress.tell(now_s, || format!("t = {now_s:.0} s")) && !stop.asked())?;
        folder.write_depth(&run)?;
        gauges.write(&run)?;
        if args.checkpoint || advance == Advance::Stopped {
            results::write_whole(&checkpoint, &run.checkpoint())?;
        }
        if advance == Advance::Stopped {
            let time_s = run.time_s();
            return Err(format!(
                "已停在 {time_s:.0} s（共 {end_s} s），用 --resume 续算 (stopped at {time_s:.0} s of {end_s} s; go on with --resume)"
            )
            .into());
        }
    }
    progress.finish();
    folder.write_records(&run)?;
    let told = story.finish(&run, progress.wall());
    Ok(results::finish(&args.case, &told, || results::summary(&told, &args.case.out))?)
}

/// The workers asked for, else one a core; no more than any machine has.
fn workers(asked: Option<usize>) -> Result<usize, String> {
    let most = case_file::MOST_THREADS;
    match asked {
        Some(many) if many > most => Err(format!("--threads {many} 多于 {most} (more than {most})")),
        Some(some) => Ok(some),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// Ctrl-C: the run stops at a whole step and keeps a checkpoint.
struct Interrupt {
    asked: Arc<AtomicBool>,
    /// Listens as long as the run lasts.
    _listener: tokio::runtime::Runtime,
}

impl Interrupt {
    fn listen() -> std::io::Result<Self> {
        let listener = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let asked = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&asked);
        listener.spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self { asked, _listener: listener })
    }

    fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
