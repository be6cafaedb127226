using TrackMate.Host;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary>What every verb keeps: help with examples, exit codes, sentences, and no folder made by accident.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly CommandLineRunner trackmate = new();

    public void Dispose() => trackmate.Dispose();

    [NoStore]
    [Fact]
    public async Task Version_is_the_bare_version()
    {
        Assert.Matches(@"^\d+\.\d+\.\d+\s*$", await trackmate.DoAsync("--version"));
    }

    [NoStore]
    [Theory]
    [InlineData("serve")]
    [InlineData("demo")]
    [InlineData("company add")]
    [InlineData("company list")]
    [InlineData("company show")]
    [InlineData("company set")]
    [InlineData("key add")]
    [InlineData("key revoke")]
    [InlineData("key list")]
    [InlineData("admin reset-password")]
    [InlineData("backup")]
    [InlineData("restore")]
    [InlineData("move")]
    [InlineData("export")]
    [InlineData("import")]
    [InlineData("erase")]
    [InlineData("doctor")]
    [InlineData("health")]
    public async Task Help_of_each_verb_ends_with_examples_of_it(string verb)
    {
        var help = await trackmate.DoAsync(verb + " --help");

        Assert.Contains($"trackmate {verb}", help[help.IndexOf("Examples:", StringComparison.Ordinal)..]);
    }

    [NoStore]
    [Theory]
    [InlineData("frobnicate", "There is no verb 'frobnicate'. See: trackmate --help")]
    [InlineData("company frobnicate", "There is no verb 'frobnicate'. See: trackmate company --help")]
    [InlineData("company set --session-gap", "Required argument missing for option: '--session-gap'. See: trackmate company set --help")]
    [InlineData("key revoke seven", "'seven' is not a key's number. See: trackmate key revoke --help")]
    [InlineData("backup", "Required argument missing for command: 'backup'. See: trackmate backup --help")]
    public async Task Wrong_arguments_end_with_2_and_a_sentence(string line, string sentence)
    {
        Assert.Equal(sentence, await trackmate.FailAsync(line, 2));
    }

    [EmbeddedOnly]
    [Theory]
    [InlineData("company list")]
    [InlineData("company show TM-SHOP99")]
    [InlineData("company set TM-SHOP99 --name Shop")]
    [InlineData("key add --company TM-SHOP99")]
    [InlineData("key list --company TM-SHOP99")]
    [InlineData("key revoke 1 --company TM-SHOP99")]
    [InlineData("admin reset-password --random")]
    [InlineData("backup out.db")]
    [InlineData("export")]
    [InlineData("import -")]
    [InlineData("erase --email a@shop.com --yes")]
    [InlineData("doctor")]
    public async Task A_mistyped_folder_is_not_made(string line)
    {
        Assert.StartsWith($"There is no TrackMate data in {trackmate.DataFolder}", await trackmate.FailAsync(line, 1));
        Assert.False(Directory.Exists(trackmate.DataFolder));
    }

    [NoStore]
    [Fact]
    public async Task A_setting_that_cannot_be_ends_with_2()
    {
        trackmate.Environment["TRACKMATE_RATE_LIMIT"] = "fast";

        Assert.StartsWith("TRACKMATE_RATE_LIMIT: 'fast' is not a number", await trackmate.FailAsync("serve", 2));
        Assert.False(Directory.Exists(trackmate.DataFolder));
    }

    [NoStore]
    [Theory]
    [InlineData("http://127.0.0.1:5080/trackmate", "has a path")]
    [InlineData("http://127.0.0.1:5080/?a=b", "has a path")]
    [InlineData("http://127.0.0.1:5080,http://127.0.0.1:5081", "has a comma")]
    [InlineData("http://127.0.0.1:5080 http://127.0.0.1:5081", "has a blank")]
    [InlineData("http://127.0.0.1:99999", "no address with a port from 1 to 65535")]
    [InlineData("http://127.0.0.1:-1", "no address with a port from 1 to 65535")]
    [InlineData("http://127.0.0.1:http", "no address with a port from 1 to 65535")]
    [InlineData("http://", "no address with a port from 1 to 65535")]
    [InlineData("http://[::1", "no address with a port from 1 to 65535")]
    [InlineData("http://me@127.0.0.1:5080", "has a user name")]
    [InlineData("127.0.0.1:5080", "does not begin with http:// or https://")]
    [InlineData("5080", "does not begin with http:// or https://")]
    [InlineData(";", "holds no address")]
    [InlineData("http://127.0.0.1:5080;ftp://127.0.0.1:21", "does not begin with http:// or https://")]
    public async Task An_address_to_listen_on_that_cannot_be_ends_with_2(string urls, string why)
    {
        trackmate.Environment["TRACKMATE_URLS"] = urls;

        var sentence = await trackmate.FailAsync("serve", 2);

        Assert.StartsWith("TRACKMATE_URLS: '", sentence);
        Assert.Contains(why, sentence);
        Assert.False(Directory.Exists(trackmate.DataFolder));
    }

    [NoStore]
    [Theory]
    [InlineData("http://127.0.0.1:5080")]
    [InlineData("http://*:80;https://+:443/")]
    [InlineData("http://[::]:5080; http://localhost:0")]
    [InlineData("HTTP://trackmate.internal")]
    [InlineData("http://unix:/run/trackmate.sock")]
    public void Addresses_that_Kestrel_takes_are_taken(string urls) => Assert.NotEmpty(ServerOptions.UrlsFrom(name => name == "TRACKMATE_URLS" ? urls : null));

    [EmbeddedOnly]
    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task A_folder_that_a_server_makes_is_its_owners_alone()
    {
        await using var server = await ServerProcess.StartAsync(trackmate.DataFolder);

        foreach (var folder in new[] { trackmate.DataFolder, Path.Combine(trackmate.DataFolder, "keys") })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
    }

    [EmbeddedOnly]
    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task A_new_folder_is_its_owners_alone()
    {
        await trackmate.DoAsync("company add TM-SHOP99");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(trackmate.DataFolder));
    }
}
