using System.Net;
using Microsoft.Extensions.Time.Testing;
using TrackMate.Show;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

[NoStore]
public sealed class LockoutTests
{
    private static readonly IPAddress Home = IPAddress.Parse("198.51.100.7");

    private readonly FakeTimeProvider clock = new(DateTimeOffset.UnixEpoch);
    private readonly Lockout lockout;

    public LockoutTests() => lockout = new(clock);

    [Fact]
    public void The_wait_doubles_after_five_failures_up_to_a_quarter_of_an_hour()
    {
        for (var i = 0; i < 5; i++) Assert.Null(lockout.Begin("admin", Home));
        foreach (var seconds in new[] { 10, 20, 40, 80, 160, 320, 640, 900, 900 })
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), lockout.Begin("admin", Home));
            clock.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Null(lockout.Begin("admin", Home));
        }
    }

    [Fact]
    public void A_right_password_and_a_day_of_quiet_forgive()
    {
        for (var i = 0; i < 5; i++) lockout.Begin("admin", Home);
        lockout.Succeeded("ADMIN ", Home);
        for (var i = 0; i < 5; i++) Assert.Null(lockout.Begin("admin", Home));
        Assert.NotNull(lockout.Begin("admin", Home));
        clock.Advance(TimeSpan.FromHours(25));
        for (var i = 0; i < 5; i++) Assert.Null(lockout.Begin("admin", Home));
    }

    [Fact]
    public void Another_address_and_another_name_are_not_kept_waiting()
    {
        for (var i = 0; i < 9; i++) lockout.Begin("admin", IPAddress.Parse("2001:db8::1"));
        Assert.NotNull(lockout.Begin("admin", IPAddress.Parse("2001:db8::2")));
        Assert.Null(lockout.Begin("admin", IPAddress.Parse("2001:db8:0:1::1")));
        Assert.Null(lockout.Begin("sarah", IPAddress.Parse("2001:db8::1")));
    }

    [Fact]
    public void A_crowd_of_names_is_forgotten_before_the_memory_grows()
    {
        for (var i = 0; i < 30_000; i++)
        {
            lockout.Begin("name" + i, Home);
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(lockout.Remembered, 1, 10_000);
        for (var i = 0; i < 5; i++) lockout.Begin("name29999", Home);
        Assert.NotNull(lockout.Begin("name29999", Home));
    }
}
