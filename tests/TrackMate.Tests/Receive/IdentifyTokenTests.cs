using System.Text;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Receive;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Which tokens stand behind an identify and which do not, one rule at a time (docs/trust.md).</summary>
[NoStore]
public sealed class IdentifyTokenTests
{
    private const long Now = 1_760_781_600_000;
    private const long NowSeconds = Now / 1000;
    private const string Session = "session_1729260000_abc123";

    private static readonly Signer Hs256 = Signer.WithSecret();
    private static readonly Signer Ed25519 = Signer.WithEd25519();

    private static Company Shop(TokenAlgorithm? algorithm) => new(1, "TM-SHOP99", "Shop", [.. Enumerable.Repeat((byte)7, 32)], new() { TokenAlgorithm = algorithm });

    private static TokenKey KeyOf(Signer signer) => new(1, 1, signer.Kid, signer.Algorithm, signer.Verifying, 0, null);

    private static TokenFault? FaultOf(string? token, Signer? key = null, string? email = "Sarah@Example.com", string? externalId = null, TokenKey[]? keys = null)
    {
        var company = Shop((key ?? Hs256).Algorithm);
        List<Identifier> named = [];
        if (email is not null && EmailAddress.TryNormalize(email, out var normalized)) named.Add(Identifier.Email(company, normalized));
        if (externalId is not null) named.Add(Identifier.External(company, externalId));
        return IdentifyToken.FaultOf(token, company, keys ?? [KeyOf(key ?? Hs256)], named, Session, Now);
    }

    private static JsonObject Claims(params (string Name, JsonNode? Value)[] changes)
    {
        var claims = Signer.Claims("TM-SHOP99", "sarah@example.com", Now);
        foreach (var (name, value) in changes)
        {
            if (value is null) claims.Remove(name);
            else claims[name] = value;
        }

        return claims;
    }

    private static TokenFault? FaultOfClaims(params (string Name, JsonNode? Value)[] changes) => FaultOf(Hs256.Sign(Claims(changes)));

    [Fact]
    public void A_token_that_the_company_signed_stands_behind_the_identify()
    {
        Assert.Null(FaultOfClaims());
        Assert.Null(FaultOf(Ed25519.Sign(Claims()), Ed25519));
    }

    /// <summary>The examples of RFC 7515 (A.1) and RFC 8037 (A.4), so that both ends are not wrong in the same way.</summary>
    [Fact]
    public void Signatures_of_the_standards_are_verified()
    {
        var octets = Convert.FromBase64String("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==");
        Assert.True(new TokenKey(1, 1, "a", TokenAlgorithm.HS256, octets, 0, null).Signed(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"u8,
            System.Buffers.Text.Base64Url.DecodeFromChars("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));

        var publicKey = TokenKey.ReadPublicKey("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        var signature = System.Buffers.Text.Base64Url.DecodeFromChars("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
        var key = new TokenKey(1, 1, "a", TokenAlgorithm.EdDSA, publicKey, 0, null);
        Assert.True(key.Signed("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"u8, signature));
        Assert.False(key.Signed("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd"u8, signature));
    }

    [Fact]
    public void The_algorithm_is_the_companys_and_never_the_tokens()
    {
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "none" })));
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "hs256" })));
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "HS512" })));
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(Hs256.Sign(Claims(), new() { ["typ"] = "JWT" })));
        Assert.Equal(TokenFault.Malformed, FaultOf($"{Signer.Encode("{\"alg\":\"none\"}"u8)}.{Signer.Encode(Encoding.UTF8.GetBytes(Claims().ToJsonString()))}."));
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(Ed25519.Sign(Claims()), Hs256));
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(Hs256.Sign(Claims()), Ed25519));

        // The public key is public: signing with it as if it were a secret makes no token, whichever algorithm the header says.
        var confused = Signer.Confused(Ed25519.Verifying);
        Assert.Equal(TokenFault.WrongAlgorithm, FaultOf(confused.Sign(Claims()), Ed25519));
        Assert.Equal(TokenFault.WrongSignature, FaultOf(confused.Sign(Claims(), new() { ["alg"] = "EdDSA" }), Ed25519));
        // Even where the company says HS256, a key that was given as public never verifies a MAC.
        Assert.Equal(TokenFault.UnknownKey, FaultOf(confused.Sign(Claims()), Hs256, keys: [KeyOf(Ed25519)]));
    }

    [Fact]
    public void A_key_of_the_tokens_own_is_never_used()
    {
        var stranger = Signer.WithEd25519();
        var header = new JsonObject { ["alg"] = "EdDSA", ["jwk"] = new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = Signer.Encode(stranger.Verifying) }, ["jku"] = "https://evil.example/keys" };
        Assert.Equal(TokenFault.WrongSignature, FaultOf(stranger.Sign(Claims(), header), Ed25519));
        Assert.Equal(TokenFault.WrongSignature, FaultOf(Signer.WithSecret().Sign(Claims())));
        Assert.Equal(TokenFault.WrongSignature, FaultOf(Signer.WithSecret("").Sign(Claims())));
    }

    [Fact]
    public void An_extension_that_must_be_understood_and_another_type_are_refused()
    {
        Assert.Equal(TokenFault.Malformed, FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "HS256", ["crit"] = new JsonArray("b64"), ["b64"] = true })));
        Assert.Equal(TokenFault.Malformed, FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "HS256", ["crit"] = new JsonArray() })));
        Assert.Equal(TokenFault.Malformed, FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "HS256", ["typ"] = "logout+jwt" })));
        Assert.Null(FaultOf(Hs256.Sign(Claims(), new() { ["alg"] = "HS256", ["typ"] = "jwt", ["jku"] = "https://example.com" })));
    }

    [Fact]
    public void Of_two_keys_either_is_tried_or_only_the_one_that_is_named()
    {
        var (old, next) = (Signer.WithSecret(), Signer.WithSecret());
        TokenKey[] both = [KeyOf(old), KeyOf(next)];
        foreach (var signer in new[] { old, next })
        {
            Assert.Null(FaultOf(signer.Sign(Claims()), keys: both));
            Assert.Null(FaultOf(signer.Sign(Claims(), new() { ["alg"] = "HS256", ["kid"] = signer.Kid }), keys: both));
        }

        Assert.Equal(TokenFault.WrongSignature, FaultOf(old.Sign(Claims(), new() { ["alg"] = "HS256", ["kid"] = next.Kid }), keys: both));
        Assert.Equal(TokenFault.UnknownKey, FaultOf(old.Sign(Claims(), new() { ["alg"] = "HS256", ["kid"] = "another" }), keys: both));
        Assert.Equal(TokenFault.UnknownKey, FaultOf(old.Sign(Claims()), keys: []));
        Assert.Equal(TokenFault.WrongSignature, FaultOf(old.Sign(Claims()), keys: [KeyOf(old) with { RevokedAt = Now }]));
        // What the data folder cannot read verifies nothing.
        Assert.Equal(TokenFault.WrongSignature, FaultOf(old.Sign(Claims()), keys: [KeyOf(old) with { Key = null }]));
        Assert.Equal(TokenFault.WrongSignature, FaultOf(Signer.WithSecret("").Sign(Claims()), keys: [KeyOf(old) with { Key = null }]));
    }

    [Fact]
    public void The_audience_is_the_company()
    {
        Assert.Null(FaultOfClaims(("aud", new JsonArray("https://shop.com", "TM-SHOP99"))));
        Assert.Equal(TokenFault.WrongAudience, FaultOfClaims(("aud", "TM-OTHER")));
        Assert.Equal(TokenFault.WrongAudience, FaultOfClaims(("aud", "tm-shop99")));
        Assert.Equal(TokenFault.WrongAudience, FaultOfClaims(("aud", new JsonArray())));
        Assert.Equal(TokenFault.WrongAudience, FaultOfClaims(("aud", null)));
        Assert.Equal(TokenFault.Malformed, FaultOfClaims(("aud", 99)));
    }

    /// <summary>A minute of a clock that is off is borne with, on each side; a life is an hour at most.</summary>
    [Fact]
    public void A_token_lives_an_hour_at_most_and_only_in_its_time()
    {
        Assert.Null(FaultOfClaims(("exp", NowSeconds - 59)));
        Assert.Equal(TokenFault.Expired, FaultOfClaims(("exp", NowSeconds - 60)));
        Assert.Null(FaultOfClaims(("exp", NowSeconds + 3600)));
        Assert.Null(FaultOfClaims(("iat", NowSeconds + 60), ("exp", NowSeconds + 3660)));
        Assert.Equal(TokenFault.TooLongLived, FaultOfClaims(("iat", NowSeconds + 60), ("exp", NowSeconds + 3661)));
        Assert.Equal(TokenFault.TooLongLived, FaultOfClaims(("iat", null), ("exp", NowSeconds + 3661)));
        Assert.Equal(TokenFault.TooLongLived, FaultOfClaims(("iat", NowSeconds - 3500), ("exp", NowSeconds + 101)));
        Assert.Null(FaultOfClaims(("iat", null)));
        Assert.Equal(TokenFault.NotYet, FaultOfClaims(("iat", NowSeconds + 61)));
        Assert.Null(FaultOfClaims(("nbf", NowSeconds + 60)));
        Assert.Equal(TokenFault.NotYet, FaultOfClaims(("nbf", NowSeconds + 61)));
        Assert.Null(FaultOfClaims(("exp", NowSeconds + 0.5)));
        Assert.Equal(TokenFault.Malformed, FaultOfClaims(("exp", null)));
        Assert.Equal(TokenFault.Malformed, FaultOfClaims(("exp", NowSeconds.ToString())));
        Assert.NotNull(FaultOf(Hs256.Sign($$"""{"aud":"TM-SHOP99","sub":"sarah@example.com","exp":1e999}""", """{"alg":"HS256"}""")));
    }

    [Fact]
    public void The_token_vouches_for_everyone_the_message_names()
    {
        Assert.Null(FaultOfClaims(("sub", " SARAH@example.COM ")));
        Assert.Equal(TokenFault.WrongPerson, FaultOfClaims(("sub", "eve@example.com")));
        Assert.Equal(TokenFault.Malformed, FaultOfClaims(("sub", null)));
        Assert.Equal(TokenFault.Malformed, FaultOfClaims(("sub", 42)));

        // By the company's own id, compared as it stands.
        Assert.Null(FaultOf(Hs256.Sign(Claims(("sub", "user-42"))), email: null, externalId: "user-42"));
        Assert.Equal(TokenFault.WrongPerson, FaultOf(Hs256.Sign(Claims(("sub", "User-42"))), email: null, externalId: "user-42"));

        // One of two is not enough; each needs a claim.
        Assert.Equal(TokenFault.WrongPerson, FaultOf(Hs256.Sign(Claims()), externalId: "42"));
        Assert.Equal(TokenFault.WrongPerson, FaultOf(Hs256.Sign(Claims(("sub", "42"))), externalId: "42"));
        Assert.Equal(TokenFault.WrongPerson, FaultOf(Hs256.Sign(Claims(("externalId", "43"))), externalId: "42"));
        Assert.Equal(TokenFault.WrongPerson, FaultOf(Hs256.Sign(Claims(("sub", "42"), ("email", "eve@example.com"))), externalId: "42"));
        Assert.Null(FaultOf(Hs256.Sign(Claims(("externalId", "42"))), externalId: "42"));
        Assert.Null(FaultOf(Hs256.Sign(Claims(("externalId", 42))), externalId: "42"));
        Assert.Null(FaultOf(Hs256.Sign(Claims(("sub", "42"), ("email", "sarah@example.com"))), externalId: "42"));
    }

    [Fact]
    public void A_session_that_the_token_names_is_the_only_one_it_is_good_for()
    {
        Assert.Null(FaultOfClaims(("sid", Session)));
        Assert.Equal(TokenFault.WrongSession, FaultOfClaims(("sid", "session_1729260000_another")));
        Assert.Equal(TokenFault.Malformed, FaultOfClaims(("sid", 1)));
    }

    /// <summary>Where two readers would take a different one of two values, neither is taken.</summary>
    [Theory]
    [InlineData("""{"aud":"TM-SHOP99","sub":"eve@example.com","sub":"sarah@example.com","exp":EXP}""")]
    [InlineData("""{"aud":"TM-SHOP99","sub":"eve@example.com","s\u0075b":"sarah@example.com","exp":EXP}""")]
    [InlineData("""{"aud":"TM-SHOP99","sub":"sarah@example.com","exp":EXP,"a":{"b":1,"b":2}}""")]
    [InlineData("""{"aud":"TM-SHOP99","sub":"sarah@example.com","exp":EXP} """ + "x")]
    [InlineData("""{"aud":"TM-SHOP99","sub":"sarah@example.com\ud800","exp":EXP}""")]
    [InlineData("""{"aud":"TM-SHOP99","sub":"sarah@example.com","exp":EXP,}""")]
    [InlineData("""[1]""")]
    [InlineData("null")]
    [InlineData("")]
    public void A_payload_that_can_be_read_in_two_ways_is_none(string payload)
    {
        var token = Hs256.Sign(payload.Replace("EXP", (NowSeconds + 300).ToString()), """{"alg":"HS256"}""");
        Assert.Equal(TokenFault.Malformed, FaultOf(token));
    }

    [Fact]
    public void A_header_in_which_a_key_stands_twice_is_none() =>
        Assert.Equal(TokenFault.Malformed, FaultOf(Hs256.Sign(Claims().ToJsonString(), """{"alg":"none","alg":"HS256"}""")));

    [Fact]
    public void What_is_no_JWT_is_none()
    {
        var token = Hs256.Sign(Claims());
        var parts = token.Split('.');
        foreach (var garbage in new[] { "", ".", "..", "...", "a.b.c", "signed", token + ".", token[..token.LastIndexOf('.')], parts[0] + "..", $"{parts[0]}.{parts[1]}=.{parts[2]}", $" {token}", token + "\n", $"{parts[0]}.{parts[1]}.{parts[2].Replace('-', '+')}=", new string('.', 4096) })
            Assert.Equal((garbage, TokenFault.Malformed), (garbage, FaultOf(garbage)));
        Assert.Equal(TokenFault.Missing, FaultOf(null));

        // Each character counts.
        foreach (var at in Enumerable.Range(0, token.Length - 1))
        {
            var changed = $"{token[..at]}{(token[at] == 'A' ? 'B' : 'A')}{token[(at + 1)..]}";
            Assert.NotNull(FaultOf(changed));
        }

        Assert.Null(FaultOf(Hs256.Sign(Claims(("x", new string('x', 2500))))));
        Assert.Equal(TokenFault.TooLarge, FaultOf(Hs256.Sign(Claims(("x", new string('x', 3000))))));
    }

    [Theory]
    [InlineData("", "give an Ed25519 public key")]
    [InlineData("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR", "give an Ed25519 public key")]
    [InlineData("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "give an Ed25519 public key")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "no Ed25519 public key")]
    [InlineData("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "no Ed25519 public key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----", "private key")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----", "no Ed25519 public key")]
    [InlineData("-----BEGIN PUBLIC KEY-----", "no Ed25519 public key")]
    public void What_is_no_public_key_is_refused_with_a_sentence(string text, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<FormatException>(() => TokenKey.ReadPublicKey(text)).Message);

    [Fact]
    public void A_public_key_is_read_as_PEM_and_as_of_a_JWK() =>
        Assert.Equal(
            TokenKey.ReadPublicKey("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            TokenKey.ReadPublicKey("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"));
}
