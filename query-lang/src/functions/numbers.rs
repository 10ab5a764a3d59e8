//! Functions of numbers, and of counters and gauges.

/// Rows of the table, handed to the next list or to `functions!`.
macro_rules! numbers {
    ($then:ident $($next:ident)* => $($rows:tt)*) => { $then! { $($next)* => $($rows)*
        Abs "abs" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The absolute value.",
            "abs(vector(-2.5))" => "{} 2.5";
        Acos "acos" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The arc cosine, in radians.",
            "acos(vector(1))" => "{} 0";
        Acosh "acosh" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The inverse hyperbolic cosine.",
            "acosh(vector(1))" => "{} 0";
        Asin "asin" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The arc sine, in radians.",
            "asin(vector(0))" => "{} 0";
        Asinh "asinh" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The inverse hyperbolic sine.",
            "asinh(vector(0))" => "{} 0";
        Atan "atan" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The arc tangent, in radians.",
            "atan(vector(0))" => "{} 0";
        Atanh "atanh" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The inverse hyperbolic tangent.",
            "atanh(vector(0))" => "{} 0";
        BitmapAnd "bitmap_and" Math MetricsQl Stable (v: V, mask: S) Once, @ 1 -> V,
            "The bits that value and mask have both, as integers.",
            "bitmap_and(vector(12), 10)" => "{} 8";
        BitmapOr "bitmap_or" Math MetricsQl Stable (v: V, mask: S) Once, @ 1 -> V,
            "The bits that value or mask have, as integers.",
            "bitmap_or(vector(12), 10)" => "{} 14";
        BitmapXor "bitmap_xor" Math MetricsQl Stable (v: V, mask: S) Once, @ 1 -> V,
            "The bits that one of value and mask has, as integers.",
            "bitmap_xor(vector(12), 10)" => "{} 6";
        Ceil "ceil" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The value rounded up to an integer.",
            "ceil(vector(-2.5))" => "{} -2";
        Clamp "clamp" Math PromQl Stable (v: V, min: S, max: S) Once, @ 2 -> V,
            "The value, brought between a minimum and a maximum.",
            "clamp(vector(9), 1, 5)" => "{} 5";
        ClampMax "clamp_max" Math PromQl Stable (v: V, max: S) Once, @ 1 -> V,
            "The value, or the maximum where it is above.",
            "clamp_max(vector(9), 5)" => "{} 5";
        ClampMin "clamp_min" Math PromQl Stable (v: V, min: S) Once, @ 1 -> V,
            "The value, or the minimum where it is below.",
            "clamp_min(vector(-1), 0)" => "{} 0";
        Cos "cos" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The cosine of radians.",
            "cos(vector(0))" => "{} 1";
        Cosh "cosh" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The hyperbolic cosine.",
            "cosh(vector(0))" => "{} 1";
        Deg "deg" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "Radians to degrees.",
            "deg(vector(0))" => "{} 0";
        Exp "exp" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "e to the power of the value.",
            "exp(vector(0))" => "{} 1";
        Floor "floor" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The value rounded down to an integer.",
            "floor(vector(-2.5))" => "{} -3";
        Ln "ln" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The natural logarithm.",
            "ln(vector(1))" => "{} 0";
        Log10 "log10" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The decimal logarithm.",
            "log10(vector(1000))" => "{} 3";
        Log2 "log2" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The binary logarithm.",
            "log2(vector(8))" => "{} 3";
        Rad "rad" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "Degrees to radians.",
            "rad(vector(0))" => "{} 0";
        Round "round" Math PromQl Stable (v: V, to_nearest: S) UpTo(1), @ 1 -> V,
            "The value rounded to the nearest integer, or multiple of a number.",
            "round(vector(7.3), 5)" => "{} 5";
        Ru "ru" Math MetricsQl Stable (free: V, max: V) Once, @ 1 -> V,
            "The share in use, in percent, of what is free and what there is at most.",
            "ru(vector(25), vector(100))" => "{} 75";
        Sgn "sgn" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The sign: -1, 0 or 1.",
            "sgn(vector(-2.5))" => "{} -1";
        Sin "sin" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The sine of radians.",
            "sin(vector(0))" => "{} 0";
        Sinh "sinh" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The hyperbolic sine.",
            "sinh(vector(0))" => "{} 0";
        Sqrt "sqrt" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The square root.",
            "sqrt(vector(9))" => "{} 3";
        Tan "tan" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The tangent of radians.",
            "tan(vector(0))" => "{} 0";
        Tanh "tanh" Math PromQl Stable (v: V) Once, @ 0 -> V,
            "The hyperbolic tangent.",
            "tanh(vector(0))" => "{} 0";
        MaxOf "max_of" Scalars PromQl Experimental (a: S, b: S) Once, @ 1 -> S,
            "The greater of two numbers.",
            "max_of(2, 3)" => "3";
        MinOf "min_of" Scalars PromQl Experimental (a: S, b: S) Once, @ 1 -> S,
            "The lesser of two numbers.",
            "min_of(2, 3)" => "2";
        Pi "pi" Scalars PromQl Stable () Once, @ 0 -> S,
            "The number pi.",
            "pi()" => "3.141592654";
        Changes "changes" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "How often the value changed in the window.",
            r#"changes(temperature{room="hall"}[5m])"# => r#"{room="hall"} 2"#;
        Delta "delta" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "The difference of a gauge over the window, extrapolated to its edges.",
            r#"delta(temperature{room="hall"}[5m])"# => r#"{room="hall"} 2.5"#;
        Deriv "deriv" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "The slope of a gauge per second, by linear regression.",
            r#"deriv(temperature{room="hall"}[5m])"# => r#"{room="hall"} 0.008333333"#;
        DerivFast "deriv_fast" Counters MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The slope of a gauge per second, from the row before the window, or its first, to its last.",
            r#"deriv_fast(temperature{room="hall"}[5m])"# => r#"{room="hall"} 0.006666667"#;
        Idelta "idelta" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "The difference of the last two values in the window.",
            r#"idelta(temperature{room="hall"}[5m])"# => r#"{room="hall"} 1"#;
        Ideriv "ideriv" Counters MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The slope of a gauge per second between its last two rows.",
            r#"ideriv(temperature{room="attic"}[5m])"# => r#"{room="attic"} -0.016666667"#;
        Increase "increase" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "The increase of a counter over the window, extrapolated to its edges.",
            r#"increase(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b"} 125"#;
        IncreasePure "increase_pure" Counters MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The increase of a counter from the row before the window to its last, nothing extrapolated; from 0 where no row is before.",
            r#"increase_pure(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b"} 130"#;
        Irate "irate" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "The increase per second between the last two values of a counter.",
            r#"irate(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b"} 0.5"#;
        PredictLinear "predict_linear" Counters PromQl Stable (r: R, seconds: S) Once, @ 1 -> V,
            "The value of a gauge so many seconds from now, by linear regression.",
            r#"predict_linear(temperature{room="hall"}[5m], 3600)"# => r#"{room="hall"} 50.8"#;
        Rate "rate" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "The increase of a counter per second, extrapolated to the edges of the window.",
            r#"rate(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b"} 0.416666667"#;
        Resets "resets" Counters PromQl Stable (r: R) Once, @ 0 -> V,
            "How often a counter was reset in the window.",
            r#"resets(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b"} 1"#;
        Ttf "ttf" Counters MetricsQl Stable (free: V) Once, @ 0 -> V,
            "The estimated seconds until something free runs out.",
            r#"ttf(temperature{room="attic"})"# => r#"{room="attic"} 1200"#;
    } };
}

pub(super) use numbers;
