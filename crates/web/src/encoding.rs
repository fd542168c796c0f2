//! Which form of a file a client takes: `Accept-Encoding` of RFC 9110, section 12.5.3.

use axum::http::{HeaderMap, header};

/// The form in which a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Compressed with brotli.
    Brotli,
    /// Compressed with gzip.
    Gzip,
    /// As it is.
    Plain,
}

/// The smallest form that there is and that the client takes. Weights only tell what is refused: whoever takes brotli
/// decodes it as easily.
pub fn preferred(headers: &HeaderMap, has_brotli: bool, has_gzip: bool) -> Encoding {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    let accepted: Vec<&str> = lines.flat_map(|line| line.split(',')).filter_map(accepted).collect();
    let takes = |name: &str| accepted.iter().any(|one| one.eq_ignore_ascii_case(name));
    if has_brotli && takes("br") {
        Encoding::Brotli
    } else if has_gzip && takes("gzip") {
        Encoding::Gzip
    } else {
        Encoding::Plain
    }
}

/// The name of one listed encoding, unless its weight is zero.
fn accepted(one: &str) -> Option<&str> {
    let (name, parameters) = one.split_once(';').unwrap_or((one, ""));
    let weight = parameters.trim().strip_prefix("q=").map(|weight| weight.trim().parse::<f32>());
    let is_refused = weight.is_some_and(|weight| weight.is_ok_and(|weight| weight <= 0.0));
    Some(name.trim()).filter(|_| !is_refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_form_that_is_taken() {
        let cases = [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip;q=1.0, BR;q=0.5", Encoding::Brotli),
            ("br;q=0, gzip", Encoding::Gzip),
            ("gzip;q=0.000", Encoding::Plain),
            ("identity", Encoding::Plain),
            ("brotli, x-gzip", Encoding::Plain),
            ("", Encoding::Plain),
        ];
        for (header, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, header.parse().unwrap());
            assert_eq!(preferred(&headers, true, true), expected, "{header}");
            assert_eq!(preferred(&headers, false, false), Encoding::Plain, "{header}");
        }
        assert_eq!(preferred(&HeaderMap::new(), true, true), Encoding::Plain);
    }

    #[test]
    fn a_form_that_there_is_not_is_not_taken() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, "br, gzip".parse().unwrap());
        assert_eq!(preferred(&headers, false, true), Encoding::Gzip);
    }
}
