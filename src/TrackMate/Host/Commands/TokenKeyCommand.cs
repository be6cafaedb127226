using System.CommandLine;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate token-key add|list|revoke</c>: keys with which a company's back end signs browsers' tokens. Only a new secret goes to stdout.</summary>
internal static class TokenKeyCommand
{
    public static Command Create() => new Verb("token-key", "Add, list and revoke keys that sign the tokens of identifies.")
    {
        Add(),
        List(),
        Revoke(),
    };

    private static Verb Add()
    {
        var company = CompanyCommand.CompanyOption();
        var kid = new Option<string?>("--kid") { Description = "Key id in the header of tokens. Default: random.", HelpName = "kid" };
        var publicKey = new Option<string?>("--public-key")
        {
            Description = "An Ed25519 public key, for tokens signed with EdDSA: a PEM file, or base64url as x of its JWK. Without it, a secret for HS256 is created.",
            HelpName = "file|text",
        };
        var command = new Verb("add", "Add a token key: a new secret (HS256), shown only once, or your public key (EdDSA). Two keys can be active.")
        {
            Examples = ["SECRET=$(trackmate token-key add --company TM-SHOP99)", "trackmate token-key add --company TM-SHOP99 --public-key public.pem --kid 2026-01"],
            Options = { company, kid, publicKey },
        };
        command.Does((installation, parsed) =>
        {
            var name = parsed.GetValue(kid) ?? TokenKey.NewKid();
            if (!TokenKey.IsKid(name)) throw new InvalidSettingException("--kid", $"it is 1 to {TokenKey.MaxKidLength} letters, digits, dots, dashes or underscores");
            var given = parsed.GetValue(publicKey) is { } text ? PublicKeyOf(text) : null;
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            if (given is not null)
            {
                registry.AddTokenKey(owner, name, TokenAlgorithm.EdDSA, given);
                Console.WriteLine($"Added token key {name} of {owner.CompanyId}: EdDSA.");
                return;
            }

            var secret = TokenKey.NewSecret();
            registry.AddTokenKey(owner, name, TokenAlgorithm.HS256, Encoding.UTF8.GetBytes(secret));
            Console.WriteLine(secret);
            Console.Error.WriteLine($"Token key {name} of {owner.CompanyId}: HS256, used as the text that it is. It is shown only once. Keep it in your back end, never in a page.");
        });
        return command;
    }

    private static byte[] PublicKeyOf(string text)
    {
        try
        {
            return TokenKey.ReadPublicKey(File.Exists(text) ? File.ReadAllText(text) : text);
        }
        catch (FormatException e)
        {
            throw new InvalidSettingException("--public-key", e.Message);
        }
    }

    private static Verb List()
    {
        var company = CompanyCommand.CompanyOption();
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Verb("list", "List a company's token keys by kid, including revoked keys. The keys themselves are never shown.")
        {
            Examples = ["trackmate token-key list --company TM-SHOP99"],
            Options = { company, json },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var keys = registry.TokenKeysOf(Installation.CompanyOf(registry, parsed.GetValue(company))).Select(TokenKeyDocument.Of).ToList();
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(keys, ManageJson.Readable.IReadOnlyListTokenKeyDocument));
            else Table.Write(Console.Out, [["kid", "algorithm", "state", "created", "revoked"], .. keys.Select(key => new[] { key.Kid, key.Algorithm, key.State, key.CreatedAt, key.RevokedAt ?? "" })]);
        });
        return command;
    }

    private static Verb Revoke()
    {
        var kid = new Argument<string>("kid") { Description = "The key's kid in: trackmate token-key list" };
        var company = CompanyCommand.CompanyOption();
        var command = new Verb("revoke", "Revoke a token key. A running server rejects its tokens within a second.")
        {
            Examples = ["trackmate token-key revoke 2026-01 --company TM-SHOP99"],
            Arguments = { kid },
            Options = { company },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            var key = parsed.GetRequiredValue(kid);
            if (!registry.RevokeTokenKey(owner, key)) throw new CommandFailedException($"{owner.CompanyId} has no token key {key} in force; see: trackmate token-key list --company {owner.CompanyId}");
            Console.WriteLine($"Revoked token key {key} of {owner.CompanyId}.");
            if (owner.Settings.TokenMode is TokenMode.Enforce && registry.TokenKeysInForce(owner).Count == 0)
                Console.Error.WriteLine($"{owner.CompanyId} has no active token key now and enforces tokens: every identify is rejected until you add one.");
        });
        return command;
    }
}
