//! Blocks of requests, the variants taking turns, so that what disturbs the machine disturbs them alike.

use std::time::{Duration, Instant};

use anyhow::Context;
use cpu_time::ProcessTime;
use rand::seq::SliceRandom;
use tokio::task::JoinSet;

use super::variant::{Client, Variant};
use crate::{child::Server, report::median};

/// What to measure at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// How long the server takes for each request.
    pub(super) delay: Duration,
    /// Tasks that send at the same time.
    pub(super) tasks: u32,
    /// Requests in one block, of all tasks together.
    pub(super) block: u32,
    /// Blocks of each variant.
    pub(super) rounds: u32,
}

/// One block of one variant.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Requests a second.
    pace: f64,
    /// Processor time of this process, in microseconds for each request.
    cpu: f64,
}

/// What came out for one variant. Ratios are medians of the rounds' own ratios, not ratios of medians.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) variant: Variant,
    pub(super) pace: f64,
    pub(super) cpu: f64,
    /// Pace over that of the bare client in the same round.
    pub(super) pace_ratio: f64,
    /// Processor time over that of the bare client in the same round.
    pub(super) cpu_ratio: f64,
}

/// Measures all variants.
pub(super) async fn measure(plan: Plan) -> anyhow::Result<Vec<Figures>> {
    let delay = plan.delay.as_millis().to_string();
    let server = Server::start(&["--delay-ms".to_owned(), delay])?;
    let mut order: Vec<(usize, Client)> = Vec::new();
    for (index, variant) in Variant::ALL.into_iter().enumerate() {
        order.push((index, Client::new(variant, &server.address)?));
    }
    // Connections, the token, and the memory that is kept.
    for (_, client) in &order {
        block(client, plan).await?;
    }
    let mut blocks: Vec<Vec<Block>> = vec![Vec::new(); Variant::ALL.len()];
    for _ in 0..plan.rounds {
        order.shuffle(&mut rand::rng());
        for (index, client) in &order {
            blocks[*index].push(block(client, plan).await?);
        }
    }
    let all = Variant::ALL.into_iter().zip(&blocks);
    Ok(all.map(|(variant, own)| figures(variant, own, &blocks[0])).collect())
}

async fn block(client: &Client, plan: Plan) -> anyhow::Result<Block> {
    let mut tasks = JoinSet::new();
    let (started, busy) = (Instant::now(), ProcessTime::now());
    if plan.tasks == 1 {
        client.calls(plan.block).await?;
    } else {
        for _ in 0..plan.tasks {
            let client = client.clone();
            tasks.spawn(async move { client.calls(plan.block / plan.tasks).await });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.context("send requests")??;
        }
    }
    let (elapsed, cpu) = (started.elapsed(), busy.elapsed());
    let requests = f64::from(plan.block);
    Ok(Block { pace: requests / elapsed.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / requests })
}

fn figures(variant: Variant, own: &[Block], bare: &[Block]) -> Figures {
    let of = |figure: fn(&Block) -> f64| median(own.iter().map(figure).collect());
    let ratio = |figure: fn(&Block) -> f64| {
        median(own.iter().zip(bare).map(|(own, bare)| figure(own) / figure(bare)).collect())
    };
    Figures {
        variant,
        pace: of(|block| block.pace),
        cpu: of(|block| block.cpu),
        pace_ratio: ratio(|block| block.pace),
        cpu_ratio: ratio(|block| block.cpu),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_own() {
        let blocks = |paces: [f64; 3]| paces.map(|pace| Block { pace, cpu: 10.0 });
        // The machine was slow in the second round, and fast in the third; the ratio was 0.9, 0.9 and 0.5.
        let figures = figures(Variant::All, &blocks([90.0, 45.0, 100.0]), &blocks([100.0, 50.0, 200.0]));
        assert!((figures.pace - 90.0).abs() < 1e-9);
        assert!((figures.pace_ratio - 0.9).abs() < 1e-9);
        assert!((figures.cpu_ratio - 1.0).abs() < 1e-9);
    }
}
