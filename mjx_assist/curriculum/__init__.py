"""What changes while training goes on: levels per walker, schedules over steps, randomization per episode."""
