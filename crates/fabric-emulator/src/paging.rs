//! Lists in pages: `continuationToken` and `continuationUri` are there only while more pages exist.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::wire::Incoming;
use crate::world::ApiError;

const TOKEN: &str = "continuationToken";

/// A part of a list.
pub(crate) struct Cut {
    pub(crate) values: Vec<Value>,
    /// The token of the next part, and the address that has it.
    pub(crate) next: Option<(String, String)>,
}

/// The part of `values` that the request asks for; `parameter` is the one that carries tokens. `None` when its token is
/// of another list, or of none.
pub(crate) fn cut(
    request: &Incoming,
    size: Option<usize>,
    parameter: &str,
    mut values: Vec<Value>,
) -> Option<Cut> {
    let start = match request.query(parameter) {
        Some(token) => read(token, &request.path)?,
        None => 0,
    };
    let end = start.saturating_add(size.unwrap_or(usize::MAX).max(1)).min(values.len());
    let next = (end < values.len()).then(|| {
        let token = write(end, &request.path);
        let query = request.query_without(parameter).append_pair(parameter, &token).finish();
        (token, request.absolute(&format!("{}?{query}", request.path)))
    });
    values.truncate(end);
    Some(Cut { values: values.split_off(start.min(end)), next })
}

/// The page of `values` that the request asks for. A token is good for the path that issued it only.
pub(crate) fn page(
    request: &Incoming,
    size: Option<usize>,
    key: &str,
    values: Vec<Value>,
) -> Result<Value, ApiError> {
    let cut = cut(request, size, TOKEN, values).ok_or_else(|| {
        ApiError::new(400, "InvalidContinuationToken", "The provided continuation token is invalid")
    })?;
    let mut page = json!({key: cut.values});
    if let Some((token, address)) = cut.next {
        page[TOKEN] = token.into();
        page["continuationUri"] = address.into();
    }
    Ok(page)
}

/// The token for a page that begins one entry before the one that `token` is for.
pub(crate) fn one_earlier(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (start, path) = text.split_once(' ')?;
    Some(write(start.parse::<usize>().ok()?.checked_sub(1)?, path))
}

fn write(start: usize, path: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{start} {path}"))
}

fn read(token: &str, path: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (start, issued_for) = text.split_once(' ')?;
    start.parse().ok().filter(|_| issued_for == path)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn get(uri: &str) -> Incoming {
        Incoming::new(http::Request::get(uri).body(Bytes::new()).unwrap())
    }

    #[test]
    fn follows_tokens_to_the_end() {
        let all: Vec<Value> = (0..5).map(Value::from).collect();
        let (mut uri, mut seen, mut pages) =
            ("http://localhost/v1/things?type=a b".replace(' ', "%20"), Vec::new(), 0);
        loop {
            let mut answer = page(&get(&uri), Some(2), "value", all.clone()).unwrap();
            seen.append(answer["value"].as_array_mut().unwrap());
            pages += 1;
            match answer.get("continuationUri") {
                Some(next) => uri = next.as_str().unwrap().to_owned(),
                None => break,
            }
            assert!(uri.starts_with("http://localhost/v1/things?type=a+b&continuationToken="), "{uri}");
        }
        assert_eq!((seen, pages), (all, 3));
    }

    #[test]
    fn refuses_a_token_of_another_list() {
        let token = write(1, "/v1/things");
        let answer = page(&get(&format!("/v1/others?continuationToken={token}")), None, "value", Vec::new());
        assert_eq!(answer.unwrap_err().code, "InvalidContinuationToken");
    }
}
