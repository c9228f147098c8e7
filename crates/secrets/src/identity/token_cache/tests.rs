//! Tokens under many hands.

use super::*;
use crate::testing::vault::{Tokens, clock, refused};
use tokio::time::{advance, sleep};

const SCOPE: &str = "https://vault.azure.net/.default";
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn cache(lifetime: Duration) -> (Tokens, Arc<TokenCache>) {
    let clock = clock();
    let tokens = Tokens::new(&clock, lifetime);
    (tokens.clone(), Arc::new(TokenCache::new(Arc::new(tokens), clock)))
}

async fn get(cache: &TokenCache) -> Result<String> {
    Ok(cache.get_token(&[SCOPE], None).await?.token.secret().to_owned())
}

/// What so many who ask at once get.
async fn many(cache: &Arc<TokenCache>, count: usize) -> Vec<Result<String>> {
    let spawn = |_| {
        let cache = Arc::clone(cache);
        tokio::spawn(async move { get(&cache).await })
    };
    let asked: Vec<_> = (0..count).map(spawn).collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn one_question_for_many_and_a_new_token_five_to_six_minutes_before_the_end() {
    let (tokens, cache) = cache(HOUR);
    assert!(many(&cache, 100).await.into_iter().all(|token| token.unwrap() == "t1"));
    advance(Duration::from_secs(3600 - 361)).await;
    assert_eq!(get(&cache).await.unwrap(), "t1");
    advance(61 * SECOND).await;
    // One asks, the others go on with what there is.
    let answers = many(&cache, 100).await;
    assert_eq!(answers.iter().filter(|token| token.as_ref().unwrap() == "t2").count(), 1);
    assert_eq!(get(&cache).await.unwrap(), "t2");
    assert_eq!(tokens.issued().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_on_while_no_other_is_to_be_had() {
    // Often, because when it begins to be asked for is left to chance.
    for _ in 0..50 {
        let (tokens, cache) = cache(HOUR);
        get(&cache).await.unwrap();
        tokens.says(Some(refused));
        let mut last = 0;
        // Until it is of no use any more.
        while get(&cache).await.is_ok() {
            sleep(10 * SECOND).await;
            last += 10;
        }
        assert!((3560..=3570).contains(&last), "{last}");
        assert!(many(&cache, 10).await.iter().all(std::result::Result::is_err));
        tokens.says(None);
        assert_eq!(get(&cache).await.unwrap(), "t2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_one_for_all_who_wait_and_tells_what_it_is() {
    let (tokens, cache) = cache(HOUR);
    tokens.says(Some(refused));
    let started = Instant::now();
    let answers = many(&cache, 100).await;
    assert!(started.elapsed() < Duration::from_millis(60), "one question");
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(
            crate::error::classify(&error),
            crate::ErrorKind::Unreachable(crate::Unreachable::Connect)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_first_and_gives_up_strands_nobody() {
    let (tokens, cache) = cache(HOUR);
    let first = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { get(&cache).await }
    });
    sleep(Duration::from_millis(10)).await;
    let second = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { get(&cache).await }
    });
    sleep(Duration::from_millis(10)).await;
    first.abort();
    assert_eq!(second.await.unwrap().unwrap(), "t1");
    assert_eq!(tokens.issued().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_rejected_token_is_forgotten() {
    let (tokens, cache) = cache(HOUR);
    get(&cache).await.unwrap();
    cache.reject("t0");
    assert_eq!(get(&cache).await.unwrap(), "t1");
    cache.reject("t1");
    cache.reject("t1");
    assert_eq!(get(&cache).await.unwrap(), "t2");
    assert_eq!(tokens.issued().len(), 2);
    assert!(!format!("{cache:?}").contains("t2"));
}

#[tokio::test(start_paused = true)]
async fn a_token_of_minutes_is_used_for_half_of_them_and_an_ended_one_once() {
    let (tokens, cache) = cache(240 * SECOND);
    get(&cache).await.unwrap();
    advance(119 * SECOND).await;
    assert_eq!(get(&cache).await.unwrap(), "t1");
    advance(SECOND).await;
    assert_eq!(get(&cache).await.unwrap(), "t2");
    assert_eq!(tokens.issued().len(), 2);

    let (tokens, cache) = self::cache(Duration::ZERO);
    get(&cache).await.unwrap();
    get(&cache).await.unwrap();
    assert_eq!(tokens.issued().len(), 2);
}
