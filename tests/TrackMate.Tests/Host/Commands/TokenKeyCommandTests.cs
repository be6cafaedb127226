using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

public sealed class TokenKeyCommandTests : IAsyncLifetime
{
    private const string PublicKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    private readonly CommandLineRunner trackmate = new();

    public async ValueTask InitializeAsync() => await trackmate.DoAsync("company add TM-SHOP99");

    public ValueTask DisposeAsync()
    {
        trackmate.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_never_listed()
    {
        var secret = (await trackmate.DoAsync("token-key add --kid first")).Trim();

        Assert.Matches("^tm_sign_[0-9A-Za-z]{43}$", secret);
        var listed = await trackmate.DoAsync("token-key list --json");
        Assert.DoesNotContain(secret, listed);
        var key = Assert.Single(JsonNode.Parse(listed)!.AsArray())!;
        Assert.Equal("first HS256 in force", $"{key["kid"]} {key["algorithm"]} {key["state"]}");
        Assert.Matches(@"tokens +off, HS256, 1 key in force", await trackmate.DoAsync("company show"));
    }

    [NoStore]
    [Fact]
    public async Task A_public_key_is_taken_from_a_file_or_as_text()
    {
        var file = Path.Combine(Path.GetDirectoryName(trackmate.DataFolder)!, "public.pem");
        await File.WriteAllTextAsync(file, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n");

        Assert.Equal("Added token key a of TM-SHOP99: EdDSA.\n", await trackmate.DoAsync($"token-key add --kid a --public-key {file}"));
        await trackmate.DoAsync($"token-key add --kid b --public-key {PublicKey}");

        Assert.Equal(["a EdDSA in force", "b EdDSA in force"], (await trackmate.DoAsync("token-key list")).Split('\n')[1..3].Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..4])));
        Assert.Equal("TM-SHOP99 has 2 token keys in force, which is all it may; revoke one of a, b first.", await trackmate.FailAsync($"token-key add --public-key {PublicKey}", 1));
        Assert.StartsWith("TM-SHOP99 signs its tokens with EdDSA (key a)", await trackmate.FailAsync("token-key add", 1));

        await trackmate.DoAsync("token-key revoke a");
        Assert.StartsWith("TM-SHOP99 has no token key a in force", await trackmate.FailAsync("token-key revoke a", 1));
        Assert.StartsWith("TM-SHOP99 has had a token key a already", await trackmate.FailAsync($"token-key add --kid a --public-key {PublicKey}", 1));
        await trackmate.DoAsync("token-key revoke b");
        await trackmate.DoAsync("token-key add --kid c");
    }

    [Theory]
    [InlineData("--public-key nonsense", "--public-key: give an Ed25519 public key")]
    [InlineData("--kid \"a b\"", "--kid: it is 1 to 64 letters, digits, dots, dashes or underscores")]
    public async Task A_key_that_cannot_be_is_refused(string options, string sentence)
    {
        Assert.StartsWith(sentence, await trackmate.FailAsync("token-key add " + options, 2));
        Assert.Equal("[]", (await trackmate.DoAsync("token-key list --json")).Trim());
    }

    [Fact]
    public async Task Enforcing_needs_a_key_and_losing_the_last_one_is_said()
    {
        Assert.StartsWith("--tokens: TM-SHOP99 has no token key that can be used", await trackmate.FailAsync("company set --tokens enforce", 2));
        await trackmate.DoAsync("token-key add --kid only");
        await trackmate.DoAsync("company set --tokens enforce");

        var (exitCode, _, errors) = await trackmate.RunAsync("token-key revoke only");

        Assert.Equal(0, exitCode);
        Assert.Contains("every identify is rejected until you add one", errors);
        Assert.Equal("enforce", JsonNode.Parse(await trackmate.DoAsync("company show --json"))!["tokens"]!.ToString());
    }

    /// <summary>Programs that add the first keys at once agree on what encrypts them.</summary>
    [Fact]
    public async Task No_key_is_added_beside_one_that_was_encrypted_with_another_file()
    {
        await trackmate.DoAsync("token-key add --kid first");
        File.Delete(Path.Combine(trackmate.DataFolder, "keys", "token.key"));

        Assert.Contains("is not the file that the token key first was encrypted with, so none is added beside it. Copy that file here", await trackmate.FailAsync("token-key add --kid second", 1));
        Assert.False(File.Exists(Path.Combine(trackmate.DataFolder, "keys", "token.key")));
        await trackmate.DoAsync("token-key revoke first");
        await trackmate.DoAsync("token-key add --kid second");
    }

    [Fact]
    public async Task Two_first_keys_at_once_can_both_be_read()
    {
        foreach (var i in Enumerable.Range(0, 3)) await trackmate.DoAsync($"company add TM-{i}");

        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => trackmate.DoAsync($"token-key add --company TM-{i}")));

        foreach (var i in Enumerable.Range(0, 3)) Assert.Contains("1 key in force\n", (await trackmate.DoAsync($"company show TM-{i}")));
        Assert.Equal(["token.key"], Directory.EnumerateFiles(Path.Combine(trackmate.DataFolder, "keys")).Select(Path.GetFileName));
    }
}
