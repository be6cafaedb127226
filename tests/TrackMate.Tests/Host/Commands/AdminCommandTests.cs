using Microsoft.AspNetCore.Identity;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

public sealed class AdminCommandTests : IAsyncLifetime
{
    private readonly CommandLineRunner trackmate = new();

    public async ValueTask InitializeAsync() => await trackmate.DoAsync("company add TM-SHOP99");

    public ValueTask DisposeAsync()
    {
        trackmate.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_given_password_is_set_and_not_printed()
    {
        var (exitCode, output, errors) = await trackmate.RunAsync("admin reset-password --password-stdin", input: "correct horse battery\n");

        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("horse", output + errors);
        Assert.True(IsPassword("correct horse battery"));
    }

    [Theory]
    [InlineData("admin reset-password")]
    [InlineData("admin reset-password --random")]
    public async Task Where_nobody_can_be_asked_a_random_one_is_made_and_printed(string line)
    {
        var password = (await trackmate.DoAsync(line)).Trim();

        Assert.Equal(20, password.Length);
        Assert.True(IsPassword(password));
    }

    [Theory]
    [InlineData("too short\n", "The password: it has 9 characters and needs 12 or more.")]
    [InlineData("", "The password: it has 0 characters and needs 12 or more.")]
    public async Task A_short_password_is_refused(string input, string sentence) =>
        Assert.Equal(sentence, await trackmate.FailAsync("admin reset-password --password-stdin", 2, input));

    private bool IsPassword(string password) =>
        new PasswordHasher<string>().VerifyHashedPassword("admin", StoreUnderTest.Read(trackmate.DataFolder, "SELECT password_hash FROM member WHERE name = 'admin'", 1)[0][0]!, password) is not PasswordVerificationResult.Failed;
}
