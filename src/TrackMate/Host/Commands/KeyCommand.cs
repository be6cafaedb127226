using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate key add|revoke|list</c>. Only the key goes to stdout, so that scripts can read it.</summary>
internal static class KeyCommand
{
    public static Command Create() => new Verb("key", "Add, revoke and list API keys.")
    {
        Add(),
        Revoke(),
        List(),
    };

    private static Verb Add()
    {
        var company = CompanyCommand.CompanyOption();
        var name = new Option<string>("--name") { Description = "Name of the key, to recognize it later.", HelpName = "name", DefaultValueFactory = _ => "from the command line" };
        var scopes = new Option<string>("--scopes")
        {
            Description = "Scopes, separated by commas: write (send webhooks), read, admin, or all.",
            HelpName = "scopes",
            DefaultValueFactory = _ => "write,read",
        };
        var command = new Verb("add", "Create an API key. It is shown only once; TrackMate stores its hash.")
        {
            Examples = ["trackmate key add --company TM-SHOP99 --name \"checkout\" --scopes write", "KEY=$(trackmate key add --scopes read)"],
            Options = { company, name, scopes },
        };
        command.Does((installation, parsed) =>
        {
            var called = CompanyChange.NameOf(parsed.GetRequiredValue(name));
            if (!ApiKey.TryParse(parsed.GetRequiredValue(scopes), out var granted))
                throw new InvalidSettingException("--scopes", $"'{parsed.GetValue(scopes)}' is not made of write, read, admin or all");
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            Console.WriteLine(registry.AddKey(owner, called, granted, actor: Verb.Actor));
            Console.Error.WriteLine($"A key of {owner.CompanyId} with the scopes: {ApiKey.Write(granted)}. It is shown only once; TrackMate stores its hash.");
        });
        return command;
    }

    private static Verb Revoke()
    {
        var number = new Argument<long>("number") { Description = "The key's number in: trackmate key list", CustomParser = NumberOf };
        var company = CompanyCommand.CompanyOption();
        var command = new Verb("revoke", "Revoke an API key. A running server rejects it within a second.")
        {
            Examples = ["trackmate key revoke 3 --company TM-SHOP99"],
            Arguments = { number },
            Options = { company },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            var key = parsed.GetRequiredValue(number);
            if (!registry.RevokeKey(owner, key, Verb.Actor)) throw new CommandFailedException($"{owner.CompanyId} has no key {key} in force; see: trackmate key list --company {owner.CompanyId}");
            Console.WriteLine($"Revoked key {key} of {owner.CompanyId}.");
        });
        return command;
    }

    private static long NumberOf(ArgumentResult result)
    {
        if (long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        result.AddError($"'{result.Tokens[0].Value}' is not a key's number.");
        return 0;
    }

    private static Verb List()
    {
        var company = CompanyCommand.CompanyOption();
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Verb("list", "List a company's API keys by their first characters, including revoked keys.")
        {
            Examples = ["trackmate key list --company TM-SHOP99"],
            Options = { company, json },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var keys = registry.KeysOf(Installation.CompanyOf(registry, parsed.GetValue(company))).Select(KeyDocument.Of).ToList();
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(keys, ManageJson.Readable.IReadOnlyListKeyDocument));
            else
            {
                Table.Write(Console.Out,
                [
                    ["number", "key", "name", "scopes", "created", "revoked"],
                    .. keys.Select(key => new[] { key.Number.ToString(), key.Key, key.Name, string.Join(' ', key.Scopes), key.CreatedAt, key.RevokedAt ?? "" }),
                ]);
            }
        });
        return command;
    }
}
