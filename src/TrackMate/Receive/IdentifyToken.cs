using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;

namespace TrackMate.Receive;

/// <summary>
/// A token that a company's back end signed for one identify (B15): a JWT in compact form (RFC 7519), HS256 or EdDSA with Ed25519. The algorithm is the company's,
/// never the token's; what it vouches for is looked at only once its signature holds.
/// </summary>
internal static class IdentifyToken
{
    public const int MaxBytes = 4 * 1024;

    /// <summary>How far a signer's clock may be off.</summary>
    private const double LeewaySeconds = 60;

    private const double MaxLifeSeconds = 3600;

    private const string Invalid = "token is not one that stands behind this identify; let the back end sign another.";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = JsonRules.MaxDepth };

    /// <summary>Why a message's token does not stand behind all that the message says; null where it does.</summary>
    /// <param name="token">As it was sent; null where none was.</param>
    /// <param name="keys">The company's keys in force.</param>
    /// <param name="named">Whom the message names: each of them must be vouched for.</param>
    /// <param name="now">Our own clock, unix milliseconds.</param>
    public static TokenFault? FaultOf(string? token, Company company, IReadOnlyList<TokenKey> keys, IReadOnlyList<Identifier> named, string sessionId, long now)
    {
        if (token is null) return TokenFault.Missing;
        if (Encoding.UTF8.GetByteCount(token) > MaxBytes) return TokenFault.TooLarge;
        var parts = token.Split('.');
        if (parts.Length != 3 || Decode(parts[0]) is not { } header || Decode(parts[1]) is not { } payload || Decode(parts[2]) is not { } signature) return TokenFault.Malformed;
        try
        {
            using var head = JsonDocument.Parse(header, Strict);
            if (FaultOfHeader(head.RootElement, company, keys, out var tried) is { } fault) return fault;
            var signed = Encoding.ASCII.GetBytes(token[..^(parts[2].Length + 1)]);
            if (!tried.Any(key => key.Signed(signed, signature))) return TokenFault.WrongSignature;

            using var body = JsonDocument.Parse(payload, Strict);
            return FaultOfClaims(body.RootElement, company, named, sessionId, now / 1000.0);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // Not JSON, a key twice, text that is none, or a claim of another type than it has to be.
            return TokenFault.Malformed;
        }
    }

    /// <summary>How an identify without a valid token is refused. Whoever has no token learns nothing of what a valid one would need; the company reads the cause among its rejected events.</summary>
    public static RejectionException Refusing(TokenFault fault) => fault is TokenFault.Missing
        ? new(Reason.TokenMissing, "token is missing: this company accepts an identify only with a token signed by its back end. Pass it to identify as { token }.", "token")
        : new(Reason.TokenInvalid, Invalid, "token", kept: $"{Invalid} {CauseOf(fault)}");

    private static string CauseOf(TokenFault fault) => fault switch
    {
        TokenFault.TooLarge => $"It is larger than {MaxBytes / 1024} KiB.",
        TokenFault.Malformed => "It is no JWT in compact form, a claim is of a wrong type, stands twice or is missing (exp, aud and sub are needed), or its header asks for an extension (crit) or another typ than JWT.",
        TokenFault.WrongAlgorithm => "Its alg is not the one of the company's keys; see: trackmate token-key list",
        TokenFault.UnknownKey => "No key in force has its kid, or there is no key at all; see: trackmate token-key list",
        TokenFault.WrongSignature => "No key in force has signed it.",
        TokenFault.Expired => "It has expired (exp); ask the back end for one when it is needed.",
        TokenFault.NotYet => "It is not valid yet (nbf, iat): is the signer's clock right?",
        TokenFault.TooLongLived => "Its exp is more than an hour ahead, or after its iat.",
        TokenFault.WrongAudience => "Its aud is not this company_id.",
        TokenFault.WrongPerson => "The message names an e-mail or externalId that is neither its sub nor its claims email and externalId.",
        TokenFault.WrongSession => "Its sid is another session.",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "A fault without a cause."),
    };

    private static TokenFault? FaultOfHeader(JsonElement header, Company company, IReadOnlyList<TokenKey> keys, out IEnumerable<TokenKey> tried)
    {
        tried = [];
        if (company.Settings.TokenAlgorithm is not { } algorithm) return TokenFault.UnknownKey;
        if (Text(header, "alg") != algorithm.ToString()) return TokenFault.WrongAlgorithm;
        // An extension that has to be understood is not (RFC 7515, 4.1.11); and another type of token was signed for something else.
        if (header.TryGetProperty("crit", out _)) return TokenFault.Malformed;
        if (Text(header, "typ") is { } type && !type.Equals("JWT", StringComparison.OrdinalIgnoreCase)) return TokenFault.Malformed;

        var kid = Text(header, "kid");
        tried = [.. keys.Where(key => key.Algorithm == algorithm && (kid is null || key.Kid == kid))];
        return tried.Any() ? null : TokenFault.UnknownKey;
    }

    private static TokenFault? FaultOfClaims(JsonElement claims, Company company, IReadOnlyList<Identifier> named, string sessionId, double now)
    {
        if (Seconds(claims, "exp") is not { } expires) return TokenFault.Malformed;
        var (issued, notBefore) = (Seconds(claims, "iat"), Seconds(claims, "nbf"));
        if (now >= expires + LeewaySeconds) return TokenFault.Expired;
        if (expires > now + MaxLifeSeconds + LeewaySeconds || expires - issued > MaxLifeSeconds) return TokenFault.TooLongLived;
        if (issued > now + LeewaySeconds || notBefore > now + LeewaySeconds) return TokenFault.NotYet;

        if (!AudiencesOf(claims).Contains(company.CompanyId, StringComparer.Ordinal)) return TokenFault.WrongAudience;
        if (Text(claims, "sub") is not { } subject) return TokenFault.Malformed;

        // Where the token names an e-mail or an externalId as such, its sub speaks for none: a user who calls himself victim@shop.com there is not the victim.
        var (email, externalId) = (Text(claims, "email") ?? subject, ExternalIdOf(claims) ?? subject);
        if (!named.All(identifier => identifier.Kind switch
        {
            IdentifierKind.Email => EmailAddress.TryNormalize(email, out var normalized) && normalized == identifier.Value,
            IdentifierKind.External => externalId == identifier.Value,
            _ => false,
        })) return TokenFault.WrongPerson;

        return Text(claims, "sid") is { } session && session != sessionId ? TokenFault.WrongSession : null;
    }

    private static IEnumerable<string?> AudiencesOf(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var audience)) return [];
        return audience.ValueKind is JsonValueKind.Array ? [.. audience.EnumerateArray().Select(one => one.GetString())] : [audience.GetString()];
    }

    // Some signers write an id as a number, as some senders do.
    private static string? ExternalIdOf(JsonElement claims) =>
        claims.TryGetProperty("externalId", out var id) && id.ValueKind is JsonValueKind.Number && id.TryGetInt64(out var number) ? number.ToString() : Text(claims, "externalId");

    /// <exception cref="InvalidOperationException">It is there and no string.</exception>
    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() ?? throw new InvalidOperationException() : null;

    /// <summary>A NumericDate, which may have a fraction.</summary>
    /// <exception cref="InvalidOperationException">It is there and no number.</exception>
    private static double? Seconds(JsonElement json, string name) =>
        !json.TryGetProperty(name, out var value) ? null : value.GetDouble() is var seconds && double.IsFinite(seconds) ? seconds : throw new FormatException();

    /// <summary>Base64url as a JWT has it, without padding or white space; null where it is not.</summary>
    private static byte[]? Decode(string part) =>
        part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') && Base64Url.IsValid(part) ? Base64Url.DecodeFromChars(part) : null;
}
