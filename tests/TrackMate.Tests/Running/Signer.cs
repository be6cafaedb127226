using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Org.BouncyCastle.Security;
using TrackMate.Bind;
using TrackMate.Manage;

namespace TrackMate.Tests.Running;

/// <summary>A back end that signs tokens for its pages, as docs/trust.md shows it; and somebody who tries to, without the key.</summary>
public sealed class Signer
{
    private readonly TokenAlgorithm algorithm;
    private readonly byte[] key;

    private Signer(TokenAlgorithm algorithm, string kid, byte[] key, byte[] verifying)
    {
        this.algorithm = algorithm;
        this.key = key;
        Kid = kid;
        Verifying = verifying;
    }

    public string Kid { get; }

    /// <summary>What the company gives TrackMate: the secret, or the public key.</summary>
    public byte[] Verifying { get; }

    public TokenAlgorithm Algorithm => algorithm;

    public static Signer WithSecret(string? secret = null)
    {
        var bytes = Encoding.UTF8.GetBytes(secret ?? TokenKey.NewSecret());
        return new(TokenAlgorithm.HS256, TokenKey.NewKid(), bytes, bytes);
    }

    public static Signer WithEd25519()
    {
        var (secret, publicKey) = (new byte[Ed25519.SecretKeySize], new byte[Ed25519.PublicKeySize]);
        Ed25519.GeneratePrivateKey(new SecureRandom(), secret);
        Ed25519.GeneratePublicKey(secret, 0, publicKey, 0);
        return new(TokenAlgorithm.EdDSA, TokenKey.NewKid(), secret, publicKey);
    }

    /// <summary>What signs with a public key as if it were a secret.</summary>
    public static Signer Confused(byte[] publicKey) => new(TokenAlgorithm.HS256, TokenKey.NewKid(), publicKey, publicKey);

    /// <summary>The claims of a token as it should be, to be changed.</summary>
    public static JsonObject Claims(string companyId, string subject, long now) => new() { ["aud"] = companyId, ["sub"] = subject, ["iat"] = now / 1000, ["exp"] = (now / 1000) + 300 };

    public static JsonObject Claims(string companyId, string subject) => Claims(companyId, subject, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    public string Sign(JsonObject claims, JsonObject? header = null) => Sign(claims.ToJsonString(), (header ?? new() { ["alg"] = algorithm.ToString(), ["typ"] = "JWT" }).ToJsonString());

    /// <summary>Signs whatever it is given, JSON or not.</summary>
    public string Sign(string claims, string header)
    {
        var text = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{text}.{Encode(SignatureOf(Encoding.ASCII.GetBytes(text)))}";
    }

    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>Gives the key to a company on a running server; it is in force when <see cref="Shop.ChangeAsync"/> returns next.</summary>
    public Signer AddTo(Shop shop, ServerProcess server)
    {
        using var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System);
        registry.AddTokenKey(registry.Find(shop.CompanyId)!, Kid, algorithm, Verifying);
        return this;
    }

    private byte[] SignatureOf(byte[] text)
    {
        if (algorithm is TokenAlgorithm.HS256) return HMACSHA256.HashData(key, text);
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(key, 0, text, 0, text.Length, signature, 0);
        return signature;
    }
}
